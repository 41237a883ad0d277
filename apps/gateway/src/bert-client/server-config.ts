import type { FarmError, Pooling } from '@embedfarm/contract';
import type { FarmStatus, ModelStatus } from '@embedfarm/sdk';

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

/** What a door is, for those who ask. */
export interface DoorFacts {
  readonly startedAt: Date;
  readonly normalize: boolean | undefined;
  readonly showTokens: boolean;
  readonly maxRequestBytes: number;
  readonly maxRequestTexts: number;
  /** Where ZeroMQ is spoken, if it is. */
  readonly zeromq:
    | { readonly version: string; readonly portIn: number; readonly portOut: number }
    | undefined;
}

/**
 * Answer to SHOW_CONFIG, with the names of bert-as-service. What only its own server has is left out: a file of
 * weights, TensorFlow, the sockets between its processes.
 *
 * @param client the one that asks.
 */
export function serverConfig(facts: DoorFacts, client: string, model: ModelStatus): Record<string, unknown> {
  const { startedAt, normalize, showTokens, maxRequestBytes, maxRequestTexts, zeromq } = facts;
  return {
    client,
    server_version: BERT_CLIENT_VERSION,
    server_start_time: pythonTime(startedAt),
    server_current_time: pythonTime(new Date()),
    ...(zeromq && { zmq_version: zeromq.version, port: zeromq.portIn, port_out: zeromq.portOut }),
    model: model.model,
    max_seq_len: model.maxSequenceLength,
    pooling_strategy: POOLING_STRATEGIES[model.pooling as Pooling] ?? null,
    dimensions: model.dimensions,
    normalize: normalize ?? model.normalize,
    num_worker: model.workers,
    show_tokens_to_client: showTokens,
    fp16: false,
    max_request_bytes: maxRequestBytes,
    max_request_texts: maxRequestTexts,
  };
}

/**
 * Answer to SHOW_STATUS: the configuration, the figures of bert-as-service, and what the farm says of itself.
 *
 * @param door figures of the ZeroMQ door, where there is one.
 */
export function serverStatus(
  config: Record<string, unknown>,
  statistic: Record<string, number>,
  door: object | undefined,
  farm: FarmStatus,
): Record<string, unknown> {
  const { backlog, clients, admission } = farm;
  return {
    ...config,
    statistic,
    ...(door && { door }),
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
