import type { FarmError, Pooling } from '@embedfarm/contract';
import type { FarmStatus, ModelStatus } from '@embedfarm/sdk';
import { version as zmqVersion } from 'zeromq';
import type { ResolvedBertDoorOptions } from './bert-door-options.ts';

/** BertClient 1.10.0 wants its own version. It is the last one. */
export const BERT_CLIENT_VERSION = '1.10.0';

/** The numbers of `PoolingStrategy`. */
const POOLING_STRATEGIES: Record<Pooling, number> = {
  none: 0,
  max: 1,
  mean: 2,
  mean_max: 3,
  cls: 4,
  last_token: 5,
  cls_pooled: 6,
};

export interface DoorFacts {
  readonly options: ResolvedBertDoorOptions;
  readonly startedAt: Date;
  readonly portIn: number;
  readonly portOut: number;
  /** Of the client that asks. */
  readonly client: string;
}

/**
 * Answer to SHOW_CONFIG, with the names of bert-as-service. What only its own server has is left out: a file of
 * weights, TensorFlow, the sockets between its processes.
 */
export function serverConfig(facts: DoorFacts, model: ModelStatus): Record<string, unknown> {
  const { options, startedAt, portIn, portOut, client } = facts;
  return {
    client,
    server_version: BERT_CLIENT_VERSION,
    server_start_time: pythonTime(startedAt),
    server_current_time: pythonTime(new Date()),
    zmq_version: zmqVersion,
    port: portIn,
    port_out: portOut,
    model: model.model,
    max_seq_len: model.maxSequenceLength,
    pooling_strategy: POOLING_STRATEGIES[model.pooling as Pooling] ?? null,
    dimensions: model.dimensions,
    normalize: options.normalize ?? model.normalize,
    num_worker: model.workers,
    show_tokens_to_client: options.showTokens,
    fp16: false,
    max_request_bytes: options.maxRequestBytes,
    max_request_texts: options.maxRequestTexts,
  };
}

/** Answer to SHOW_STATUS: the configuration, the figures of bert-as-service, and what the farm says of itself. */
export function serverStatus(
  config: Record<string, unknown>,
  statistic: Record<string, number>,
  door: object,
  farm: FarmStatus,
): Record<string, unknown> {
  const { backlog, clients, admission } = farm;
  return {
    ...config,
    statistic,
    door,
    farm: {
      workers: farm.workers.length,
      devices: farm.devices.length,
      backlog,
      clients,
      texts: admission.texts,
      texts_per_second: farm.workers.reduce((sum, { textsPerSecond }) => sum + textsPerSecond, 0),
      tokens_per_second: farm.workers.reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0),
    },
  };
}

/**
 * Answer to SHOW_CONFIG when the farm cannot be asked: a version that is none, so that the constructor of BertClient
 * raises `AttributeError: version mismatch! server version is embedfarm: …`.
 */
export function configFailure({ code, detail }: FarmError): Record<string, unknown> {
  return {
    server_version: `embedfarm: ${code}: ${detail}`,
    max_seq_len: null,
    show_tokens_to_client: false,
    error: { code, message: detail },
  };
}

/** As Python's `str(datetime.now())`. */
function pythonTime(date: Date): string {
  return date.toISOString().replace('T', ' ').replace('Z', '000');
}
