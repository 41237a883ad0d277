import {
  FarmError,
  nameSchema,
  redisAddressSchema,
  webhookHostsSchema,
  webhookSecretsSchema,
} from '@embedfarm/contract';
import { engineOptionsSchema, type EngineOptions } from '@embedfarm/engine/engine-options';
import { z } from 'zod';

export const workerOptionsSchema = z.strictObject({
  /** Where the farm's Redis is: one server, sentinels or a Cluster. See parseRedisAddress. */
  redis: redisAddressSchema,

  /** Hash-tagged prefix of the farm's keys; one Redis can hold several farms. */
  prefix: z.string().min(1).max(64).optional(),

  /** `embedded` for the model that the farm brings along, a directory, or a hub's model: see the engine's option. */
  model: z.string().min(1).default('embedded'),

  /**
   * The model's name in the farm; workers of one name share its queues. Default: the directory's name, or the
   * `name` of `org/name`.
   */
  name: nameSchema.optional(),

  /** What runs the model: `cpu`, `cpu:N`, `cuda:0`, `webgpu`, a list of them, or `auto`: see the engine's option. */
  devices: engineOptionsSchema.shape.devices,

  /** Batches in flight per device: one runs, the next is ready. Default: 2. */
  slots: engineOptionsSchema.shape.slots,

  /** Most tokens a batch may cost a device. Default: 256 on a core, thousands on a card. */
  tokenBudget: engineOptionsSchema.shape.tokenBudget,

  /** Measure at the start which budget is the fastest, where none is said; kept in the cache folder. */
  calibrate: z.boolean().default(true),

  /** While nothing runs, a lone text may take all cores together, where that is faster. */
  lowLatency: engineOptionsSchema.shape.lowLatency,

  /** Hidden states to vectors. Default: what the model says, else `mean`. */
  pooling: engineOptionsSchema.shape.pooling,

  /** Encoder blocks that are pooled, side by side. Default: what the model says, else the last. */
  poolingLayers: engineOptionsSchema.shape.poolingLayers,

  /** `float32`, or `int8`: faster, and checked against float32. Default: what the model's directory has. */
  dtype: engineOptionsSchema.shape.dtype,

  /** Read and check every byte of the model and of what is cached of it. */
  verify: engineOptionsSchema.shape.verify,

  /** Vectors of length 1. Default: what the model says, else true. */
  normalize: engineOptionsSchema.shape.normalize,

  /** Capitals and accents stay. Default: what the tokenizer says. */
  cased: z.boolean().optional(),

  /** Longest sequence in tokens, special ones included: the rest is cut. Default and most: what the model takes. */
  maxSequenceLength: engineOptionsSchema.shape.maxSequenceLength,

  /** Special tokens are neither attended to nor pooled. */
  maskClsSep: engineOptionsSchema.shape.maskClsSep,

  /** What is left out above is as in bert-as-service: the mean of layer -2, 25 tokens, not normalized. */
  bertAsServiceDefaults: z.boolean().default(false),

  /** Where models are kept that are made, downloaded or converted. Default: `embedfarm` in XDG_CACHE_HOME or ~/.cache. */
  cacheDir: z.string().min(1).optional(),

  /** Base URL of the hub that models come from. Default: https://huggingface.co. */
  hubUrl: engineOptionsSchema.shape.hubUrl,

  /** Token for gated and private models of the hub. */
  hubToken: engineOptionsSchema.shape.hubToken,

  /** Models come from the cache alone. */
  offline: engineOptionsSchema.shape.offline,

  /** Hosts that webhooks may go to: see docs/webhooks.md. Without them this worker delivers none. */
  webhookHosts: webhookHostsSchema.optional(),

  /** What signs webhooks: `whsec_…`. Each signs, so that a new one can replace an old one. */
  webhookSecrets: webhookSecretsSchema.optional(),

  /** Port of `/metrics`, `/healthz` and `/readyz`: see docs/metrics.md; 0 takes a free one. Without it there are none. */
  metricsPort: z.int().min(0).max(65_535).optional(),

  /** Spans of jobs for the OpenTelemetry SDK that the process has loaded: see docs/metrics.md. */
  otel: z.boolean().default(false),

  /** Address they are served on: this machine alone until told otherwise, as they have no password. */
  metricsHost: z.string().min(1).default('127.0.0.1'),
});

/** What a caller may write: all but `redis` is optional. */
export type WorkerOptions = z.input<typeof workerOptionsSchema>;
export type ResolvedWorkerOptions = z.output<typeof workerOptionsSchema>;

/** Source: https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/helper.py. */
const BERT_AS_SERVICE: EngineOptions = {
  pooling: 'mean',
  poolingLayers: [-2],
  maxSequenceLength: 25,
  normalize: false,
};

/** What of a worker's options its engine is opened with. */
export function engineOptionsOf(options: ResolvedWorkerOptions): EngineOptions {
  const { redis: _redis, prefix: _prefix, name: _name, cased, bertAsServiceDefaults, ...rest } = options;
  const {
    webhookHosts: _hosts,
    webhookSecrets: _secrets,
    metricsPort: _port,
    metricsHost: _host,
    otel: _otel,
    ...given
  } = rest;
  return {
    ...(bertAsServiceDefaults ? BERT_AS_SERVICE : {}),
    ...(cased === undefined ? {} : { lowercase: !cased }),
    ...given,
  };
}

/**
 * Where the worker delivers webhooks; undefined where no host is said.
 *
 * @throws FarmError `invalid_argument` for hosts without a secret.
 */
export function webhooksOf({
  webhookHosts: hosts,
  webhookSecrets: secrets,
}: ResolvedWorkerOptions): { hosts: string[]; secrets: string[] } | undefined {
  if (!hosts) return undefined;
  if (secrets) return { hosts, secrets };
  throw new FarmError(
    'invalid_argument',
    'webhookHosts needs a secret to sign with: set EMBEDFARM_WEBHOOK_SECRET',
  );
}
