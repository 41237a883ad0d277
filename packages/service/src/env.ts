import {
  nameSchema,
  parseOptions,
  webhookHostsSchema,
  webhookSecretsSchema,
  POOLINGS,
  redisAddressSchema,
  WEIGHT_DTYPES,
  type Pooling,
  type WeightDtype,
} from '@embedfarm/contract';
import { z } from 'zod';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const envSchema = z.object({
  /** Where the farm's Redis is: one server, sentinels or a Cluster. Default of the programs: redis://127.0.0.1:6379. */
  REDIS_URL: redisAddressSchema.optional(),
  /** `embedded`, a model's directory or its id on the hub; for `encode` and `submit` the model's name in the farm. */
  EMBEDFARM_MODEL: z.string().optional(),
  /** The model's name in the farm. */
  EMBEDFARM_NAME: nameSchema.optional(),
  /** `cpu`, `cpu:N`, `cuda:0`, `webgpu`, several with commas between, or `auto`. */
  EMBEDFARM_DEVICES: z.string().optional(),
  /** Batches in flight per device. */
  EMBEDFARM_SLOTS: z.coerce.number().int().min(1).max(8).optional(),
  /** Most real tokens of one batch. */
  EMBEDFARM_TOKEN_BUDGET: z.coerce.number().int().min(16).max(1_048_576).optional(),
  /** Whether the token budget is measured where none is said. */
  EMBEDFARM_CALIBRATE: z.stringbool().optional(),
  /** Whether a lone text may take all cores while nothing else runs. */
  EMBEDFARM_LOW_LATENCY: z.stringbool().optional(),
  /** `mean`, `cls`, …: hidden states to vectors. */
  EMBEDFARM_POOLING: z.enum(POOLINGS).optional(),
  /** Encoder blocks that are pooled, side by side: `-2`, or `-1,-2`. */
  EMBEDFARM_POOLING_LAYERS: z
    .string()
    .regex(/^-?\d{1,3}(,-?\d{1,3})*$/, 'must be numbers with commas between, as -1,-2')
    .transform((layers) => layers.split(',').map(Number))
    .optional(),
  /** How the model's matrices are kept: `float32` or `int8`. */
  EMBEDFARM_DTYPE: z.enum(WEIGHT_DTYPES).optional(),
  /** Whether every byte of the model and of what is cached of it is read and checked. */
  EMBEDFARM_VERIFY: z.stringbool().optional(),
  /** Whether vectors get length 1. */
  EMBEDFARM_NORMALIZE: z.stringbool().optional(),
  /** Whether capitals and accents stay. */
  EMBEDFARM_CASED: z.stringbool().optional(),
  /** Longest sequence in tokens, special ones included. */
  EMBEDFARM_MAX_SEQ_LEN: z.coerce.number().int().min(3).max(65_536).optional(),
  /** Whether special tokens are neither attended to nor pooled. */
  EMBEDFARM_MASK_CLS_SEP: z.stringbool().optional(),
  /** Whether what is not said is as in bert-as-service. */
  EMBEDFARM_BERT_AS_SERVICE_DEFAULTS: z.stringbool().optional(),
  /** Worker processes of `start`. */
  EMBEDFARM_WORKERS: z.coerce.number().int().min(1).max(1_024).optional(),
  /** Folder of prepared models. */
  EMBEDFARM_CACHE_DIR: z.string().optional(),
  /** Base URL of the hub or a mirror; without it HF_ENDPOINT. */
  EMBEDFARM_HUB_URL: z.url({ protocol: /^https?$/ }).optional(),
  HF_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** Token for gated and private models of the hub; without it HF_TOKEN. */
  EMBEDFARM_HUB_TOKEN: z.string().optional(),
  HF_TOKEN: z.string().optional(),
  /** Whether models come from the cache alone; without it HF_HUB_OFFLINE, in the words of its own library. */
  EMBEDFARM_OFFLINE: z.stringbool().optional(),
  HF_HUB_OFFLINE: z
    .string()
    .transform((word) => /^(1|on|yes|true)$/i.test(word))
    .optional(),
  /** The port of a worker's `/metrics`, `/healthz` and `/readyz`; 0 takes a free one. Without it there are none. */
  EMBEDFARM_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  /** Whether a worker tells the OpenTelemetry SDK that it was started with of its jobs. */
  EMBEDFARM_OTEL: z.stringbool().optional(),
  /** The dashboard's port; 0 takes a free one. */
  EMBEDFARM_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  /** The port of the gateway's HTTP doors; 0 takes a free one. */
  EMBEDFARM_GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  /** Who may call the gateway: JSON, or the file that holds it. */
  EMBEDFARM_GATEWAY_KEYS: z.string().optional(),
  /** Origins of pages that may call the gateway, with commas between, or `*`. */
  EMBEDFARM_CORS_ORIGINS: z
    .string()
    .transform((origins) => origins.split(',').map((origin) => origin.trim()))
    .optional(),
  /** Whether the gateway serves clients of bert-as-service on two ports of ZeroMQ. */
  EMBEDFARM_BERT_CLIENT: z.stringbool().optional(),
  EMBEDFARM_BERT_PORT_IN: z.coerce.number().int().min(0).max(65_535).optional(),
  EMBEDFARM_BERT_PORT_OUT: z.coerce.number().int().min(0).max(65_535).optional(),
  /** The address of those two, which know no key: this machine alone until told otherwise. */
  EMBEDFARM_BERT_HOST: z.string().optional(),
  /** Whether their results carry the tokens of the texts. */
  EMBEDFARM_BERT_SHOW_TOKENS: z.stringbool().optional(),
  /** Whether the message TERMINATION closes the gateway. */
  EMBEDFARM_BERT_ALLOW_TERMINATION: z.stringbool().optional(),
  /** The address of the gateway, the dashboard and of metrics; `0.0.0.0` inside a container. */
  EMBEDFARM_HOST: z.string().optional(),
  /** What one has to know to look at the dashboard and to act. No flag: other users see the flags of a process. */
  EMBEDFARM_DASHBOARD_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{8,200}$/, 'must be 8 to 200 printable characters of ASCII, without spaces')
    .optional(),
  /** Label of a submitted request. */
  EMBEDFARM_LABEL: z.string().max(200).optional(),
  /** Hosts that webhooks may go to, with commas between; without them none is delivered. */
  EMBEDFARM_WEBHOOK_HOSTS: z
    .string()
    .transform((hosts) => hosts.split(',').map((host) => host.trim()))
    .pipe(webhookHostsSchema)
    .optional(),
  /** What signs webhooks: `whsec_…`, several with spaces between. No flag: other users see the flags of a process. */
  EMBEDFARM_WEBHOOK_SECRET: z
    .string()
    .transform((secrets) => secrets.trim().split(/\s+/))
    .pipe(webhookSecretsSchema)
    .optional(),
  EMBEDFARM_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

/** What the environment says; a field is undefined where it says nothing. */
export interface Env {
  readonly redis: string | undefined;
  readonly model: string | undefined;
  readonly name: string | undefined;
  readonly devices: string | undefined;
  readonly slots: number | undefined;
  readonly tokenBudget: number | undefined;
  readonly calibrate: boolean | undefined;
  readonly lowLatency: boolean | undefined;
  readonly pooling: Pooling | undefined;
  readonly poolingLayers: number[] | undefined;
  readonly dtype: WeightDtype | undefined;
  readonly verify: boolean | undefined;
  readonly normalize: boolean | undefined;
  readonly cased: boolean | undefined;
  readonly maxSequenceLength: number | undefined;
  readonly maskClsSep: boolean | undefined;
  readonly bertAsServiceDefaults: boolean | undefined;
  readonly workers: number | undefined;
  readonly cacheDir: string | undefined;
  readonly hubUrl: string | undefined;
  readonly hubToken: string | undefined;
  readonly offline: boolean | undefined;
  readonly metricsPort: number | undefined;
  readonly otel: boolean | undefined;
  readonly port: number | undefined;
  readonly gatewayPort: number | undefined;
  readonly gatewayKeys: string | undefined;
  readonly corsOrigins: string[] | undefined;
  readonly bertClient: boolean | undefined;
  readonly bertPortIn: number | undefined;
  readonly bertPortOut: number | undefined;
  readonly bertHost: string | undefined;
  readonly bertShowTokens: boolean | undefined;
  readonly bertAllowTermination: boolean | undefined;
  readonly host: string | undefined;
  readonly dashboardKey: string | undefined;
  readonly label: string | undefined;
  readonly webhookHosts: string[] | undefined;
  readonly webhookSecrets: string[] | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/**
 * An empty variable counts as absent, as shells and compose files write it.
 *
 * @throws FarmError `invalid_argument` naming every variable that is out of bounds.
 */
export function readEnv(variables: NodeJS.ProcessEnv = process.env): Env {
  const filled = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const env = parseOptions('environment', envSchema, filled);
  return {
    redis: env.REDIS_URL,
    model: env.EMBEDFARM_MODEL,
    name: env.EMBEDFARM_NAME,
    devices: env.EMBEDFARM_DEVICES,
    slots: env.EMBEDFARM_SLOTS,
    tokenBudget: env.EMBEDFARM_TOKEN_BUDGET,
    calibrate: env.EMBEDFARM_CALIBRATE,
    lowLatency: env.EMBEDFARM_LOW_LATENCY,
    pooling: env.EMBEDFARM_POOLING,
    poolingLayers: env.EMBEDFARM_POOLING_LAYERS,
    dtype: env.EMBEDFARM_DTYPE,
    verify: env.EMBEDFARM_VERIFY,
    normalize: env.EMBEDFARM_NORMALIZE,
    cased: env.EMBEDFARM_CASED,
    maxSequenceLength: env.EMBEDFARM_MAX_SEQ_LEN,
    maskClsSep: env.EMBEDFARM_MASK_CLS_SEP,
    bertAsServiceDefaults: env.EMBEDFARM_BERT_AS_SERVICE_DEFAULTS,
    workers: env.EMBEDFARM_WORKERS,
    cacheDir: env.EMBEDFARM_CACHE_DIR,
    hubUrl: env.EMBEDFARM_HUB_URL ?? env.HF_ENDPOINT,
    hubToken: env.EMBEDFARM_HUB_TOKEN ?? env.HF_TOKEN,
    offline: env.EMBEDFARM_OFFLINE ?? env.HF_HUB_OFFLINE,
    metricsPort: env.EMBEDFARM_METRICS_PORT,
    otel: env.EMBEDFARM_OTEL,
    port: env.EMBEDFARM_PORT,
    gatewayPort: env.EMBEDFARM_GATEWAY_PORT,
    gatewayKeys: env.EMBEDFARM_GATEWAY_KEYS,
    corsOrigins: env.EMBEDFARM_CORS_ORIGINS,
    bertClient: env.EMBEDFARM_BERT_CLIENT,
    bertPortIn: env.EMBEDFARM_BERT_PORT_IN,
    bertPortOut: env.EMBEDFARM_BERT_PORT_OUT,
    bertHost: env.EMBEDFARM_BERT_HOST,
    bertShowTokens: env.EMBEDFARM_BERT_SHOW_TOKENS,
    bertAllowTermination: env.EMBEDFARM_BERT_ALLOW_TERMINATION,
    host: env.EMBEDFARM_HOST,
    dashboardKey: env.EMBEDFARM_DASHBOARD_KEY,
    label: env.EMBEDFARM_LABEL,
    webhookHosts: env.EMBEDFARM_WEBHOOK_HOSTS,
    webhookSecrets: env.EMBEDFARM_WEBHOOK_SECRET,
    logLevel: env.EMBEDFARM_LOG_LEVEL,
  };
}
