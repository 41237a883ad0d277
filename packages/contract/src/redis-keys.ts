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
  /** Runs of a suspect that were begun and have not ended: hash of run id to range of texts. */
  suspect(jobId: string): string;
  reply(clientId: string): string;
  /** Everything before the id of a job in BullMQ, or before `wait`, `prioritized` and its other parts of the queue. */
  jobPrefix(model: string, lane: Lane): string;
  request(requestId: string): string;
  /** The vector of one text, by the hash of all that decides it; or the lease of the chunk that encodes it now. */
  cache(hash: string): string;
  /** Everything before the request id, for scripts that get many of them. */
  readonly requestPrefix: string;
  /** Bitmap: bit n is set when chunk n is settled. */
  requestBits(requestId: string): string;
  /** Index of the first text of every chunk and, last, the number of texts: u32, big-endian. */
  requestStarts(requestId: string): string;
  /** Ids of submitted requests by time (zset). */
  readonly requests: string;
  /** Ids of submitted requests that have not ended, by time (zset). */
  readonly openRequests: string;
  /** Ended requests that no worker has told of yet, each with its state (list). Scripts make it of `openRequests`. */
  readonly endedRequests: string;
  /** Taken by the one worker that looks after open requests. */
  readonly requestTender: string;
  /** Client ids by last heartbeat (zset). */
  readonly clients: string;
  readonly workers: string;
  worker(workerId: string): string;
  statsSecond(second: number): string;
  readonly statsPrefix: string;
  /** What a minute was, in Redis minutes since 1970 (hash). */
  statsMinute(minute: number): string;
  /** Everything before the minute, for scripts that ask Redis' own clock. */
  readonly statsMinutePrefix: string;
  /** Texts of clients in that minute (zset of client ids). */
  statsClients(minute: number): string;
  readonly statsClientsPrefix: string;
  /** The last failure of each code and model (hash of JSON). */
  readonly failureSamples: string;
  /** What clients say of themselves (hash of client id to JSON). */
  readonly clientReports: string;
  /** Curves that benchmarks have measured (hash of JSON). */
  readonly benchCurves: string;
  /** Where a model's bulk lane stands: its virtual time, and when tags were taken last (hash). */
  fairShare(model: string): string;
  /** Tenants by the start tag of their next chunk (zset). */
  fairShareTenants(model: string): string;
  /** Tenants' weights in the bulk lanes, where they are not 1 (hash). */
  readonly weights: string;
  /** When the bucket of those who may take so many texts a second is full again, in Redis ms (string). */
  textRate(name: string): string;
  /** What the farm holds, as leases, and their sum (hash). */
  readonly admission: string;
  /** Held by whoever re-syncs the leases, until it is due again. */
  readonly admissionSync: string;
  /** What the farm may hold (hash); absent fields have their defaults. */
  readonly limits: string;
  /** Never there: only for asking whether Redis would take a write. */
  readonly memoryProbe: string;
  /** Pub/sub channel of cancelled request ids. */
  readonly cancel: string;
  /** Ended requests whose webhook is to be handed over, by the Redis time from which on (zset). */
  readonly webhooksDue: string;
  /** Hosts that workers deliver webhooks to, by last heartbeat (zset). */
  readonly webhookHosts: string;
  /** What is known of a kept file (hash). */
  file(fileId: string): string;
  /** Everything before the file id, for scripts that get many of them. */
  readonly filePrefix: string;
  /** Its bytes, by the number of the slice (hash). */
  fileSlices(fileId: string): string;
  /** Ids of somebody's files by the time they came (zset). */
  files(owner: string): string;
  /** Ids of files with bytes by the time they go (zset). */
  readonly heldFiles: string;
  /** Bytes of each of them and, under the empty name, of all (hash). */
  readonly heldFileBytes: string;
  /** A batch: its record, who works on it, whether it is taken back (hash). */
  batch(batchId: string): string;
  readonly batchPrefix: string;
  /** Which lines of its input are which texts of which request (hash). */
  batchLines(batchId: string): string;
  /** Ids of somebody's batches by the time they came (zset). */
  batches(owner: string): string;
  /** Ids of somebody's batches that have not ended, by the time at which they are nobody's (zset). */
  openBatches(owner: string): string;
  /** Ids of batches by the time at which somebody has to look after them (zset). */
  readonly dueBatches: string;
}

export function redisKeys(prefix: string = shardPrefix()): RedisKeys {
  return {
    prefix,
    models: `${prefix}:models`,
    model: (model) => `${prefix}:model:${model}`,
    modelWorkers: (model) => `${prefix}:model-workers:${model}`,
    result: (jobId) => `${prefix}:result:${jobId}`,
    resultPrefix: `${prefix}:result:`,
    suspect: (jobId) => `${prefix}:suspect:${jobId}`,
    reply: (clientId) => `${prefix}:reply:${clientId}`,
    jobPrefix: (model, lane) => `${prefix}:${queueName(model, lane)}:`,
    request: (requestId) => `${prefix}:request:${requestId}`,
    cache: (hash) => `${prefix}:cache:${hash}`,
    requestPrefix: `${prefix}:request:`,
    requestBits: (requestId) => `${prefix}:request-bits:${requestId}`,
    requestStarts: (requestId) => `${prefix}:request-starts:${requestId}`,
    requests: `${prefix}:requests`,
    openRequests: `${prefix}:open-requests`,
    endedRequests: `${prefix}:open-requests:ended`,
    requestTender: `${prefix}:request-tender`,
    clients: `${prefix}:clients`,
    workers: `${prefix}:workers`,
    worker: (workerId) => `${prefix}:worker:${workerId}`,
    statsSecond: (second) => `${prefix}:stats:${second}`,
    statsPrefix: `${prefix}:stats:`,
    statsMinute: (minute) => `${prefix}:stats-minute:${minute}`,
    statsMinutePrefix: `${prefix}:stats-minute:`,
    statsClients: (minute) => `${prefix}:stats-clients:${minute}`,
    statsClientsPrefix: `${prefix}:stats-clients:`,
    failureSamples: `${prefix}:failure-samples`,
    clientReports: `${prefix}:client-reports`,
    benchCurves: `${prefix}:bench-curves`,
    fairShare: (model) => `${prefix}:fair-share:${model}`,
    fairShareTenants: (model) => `${prefix}:fair-share-tenants:${model}`,
    weights: `${prefix}:weights`,
    textRate: (name) => `${prefix}:text-rate:${name}`,
    admission: `${prefix}:admission`,
    admissionSync: `${prefix}:admission-sync`,
    limits: `${prefix}:limits`,
    memoryProbe: `${prefix}:memory-probe`,
    cancel: `${prefix}:cancel`,
    webhooksDue: `${prefix}:webhooks-due`,
    webhookHosts: `${prefix}:webhook-hosts`,
    file: (fileId) => `${prefix}:file:${fileId}`,
    filePrefix: `${prefix}:file:`,
    fileSlices: (fileId) => `${prefix}:file-slices:${fileId}`,
    files: (owner) => `${prefix}:files:${owner}`,
    heldFiles: `${prefix}:held-files`,
    heldFileBytes: `${prefix}:held-file-bytes`,
    batch: (batchId) => `${prefix}:batch:${batchId}`,
    batchPrefix: `${prefix}:batch:`,
    batchLines: (batchId) => `${prefix}:batch-lines:${batchId}`,
    batches: (owner) => `${prefix}:batches:${owner}`,
    openBatches: (owner) => `${prefix}:open-batches:${owner}`,
    dueBatches: `${prefix}:due-batches`,
  };
}

/** BullMQ's name of a model's queue. */
export function queueName(model: string, lane: Lane): string {
  return `${model}-${lane}`;
}

/** BullMQ's name of the queue of webhooks; a model's queues end in their lane. */
export const WEBHOOK_QUEUE = 'webhooks';
