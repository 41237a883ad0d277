import type { Lane } from './lane.ts';

/** Shard number of a plain farm: one Redis, or one slot of a Cluster. */
export const FIRST_SHARD = 0;

/** The hash tag keeps all keys of a shard in one Cluster slot. */
export function shardPrefix(shard: number = FIRST_SHARD): string {
  return shard === FIRST_SHARD ? '{embedfarm}' : `{embedfarm${shard}}`;
}

/** Every key name of the farm, once. */
export interface RedisKeys {
  readonly prefix: string;
  /** Set of model names by time of the last heartbeat of a worker (zset). */
  readonly models: string;
  model(model: string): string;
  /** Worker ids of one model by last heartbeat (zset). */
  modelWorkers(model: string): string;
  result(jobId: string): string;
  /** Everything before the job id, for scripts that get many of them. */
  readonly resultPrefix: string;
  reply(clientId: string): string;
  /** Everything before the id of a job in BullMQ, for scripts that ask for many of them. */
  jobPrefix(model: string, lane: Lane): string;
  request(requestId: string): string;
  /** Bitmap: bit n is set when chunk n is settled. */
  requestBits(requestId: string): string;
  readonly requests: string;
  /** Client ids by last heartbeat (zset). */
  readonly clients: string;
  readonly workers: string;
  worker(workerId: string): string;
  statsSecond(second: number): string;
  readonly statsPrefix: string;
  /** Pub/sub channel of cancelled request ids. */
  readonly cancel: string;
}

export function redisKeys(prefix: string = shardPrefix()): RedisKeys {
  return {
    prefix,
    models: `${prefix}:models`,
    model: (model) => `${prefix}:model:${model}`,
    modelWorkers: (model) => `${prefix}:model-workers:${model}`,
    result: (jobId) => `${prefix}:result:${jobId}`,
    resultPrefix: `${prefix}:result:`,
    reply: (clientId) => `${prefix}:reply:${clientId}`,
    jobPrefix: (model, lane) => `${prefix}:${queueName(model, lane)}:`,
    request: (requestId) => `${prefix}:request:${requestId}`,
    requestBits: (requestId) => `${prefix}:request-bits:${requestId}`,
    requests: `${prefix}:requests`,
    clients: `${prefix}:clients`,
    workers: `${prefix}:workers`,
    worker: (workerId) => `${prefix}:worker:${workerId}`,
    statsSecond: (second) => `${prefix}:stats:${second}`,
    statsPrefix: `${prefix}:stats:`,
    cancel: `${prefix}:cancel`,
  };
}

/** BullMQ's name of a model's queue. */
export function queueName(model: string, lane: Lane): string {
  return `${model}-${lane}`;
}
