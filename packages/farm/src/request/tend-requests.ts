import { failedBlock, MAX_CHUNK_TEXTS, type EncodeJob, type Lane, type RedisKeys } from '@embedfarm/contract';
import { EncodeQueue } from '../queue/encode-queue.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { standInJob } from '../worker/stand-in-job.ts';
import { removeChunks } from './cancel-request.ts';
import { abandonRequest, PRODUCER_DIED } from './fill-request.ts';
import { hasEnded, toRecord, type RequestRecord } from './request-record.ts';
import { requestScriptKeys } from './request-script-keys.ts';

/** Open requests are looked at this often, by one worker of the farm. */
export const TEND_MS = 5_000;
/** Requests read with one round trip. */
const PAGE_REQUESTS = 200;
/** A request without progress for this long is looked at chunk by chunk. */
const SILENT_MS = 30_000;
/** Whoever cancels has this long for it. */
const CANCEL_MS = 5_000;
const SLICE_CHUNKS = 500;

/** What tending needs of its worker. */
export interface TenderPorts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  nowMs(): number;
  /** Settles a chunk that no job stands for any more. */
  settleLost(job: EncodeJob, lane: Lane): Promise<void>;
  /** How long a request may make no progress; SILENT_MS. */
  readonly silentMs?: number;
}

/**
 * Looks after requests that nobody else does: one whose producer died is sealed as it is, a cancellation that was
 * cut short is done to its end, and a chunk whose job is gone without a trace (a failover that lost it) fails, so
 * that its request ends.
 *
 * @throws AggregateError with what kept it from looking after some; the others are looked after.
 */
export async function tendRequests(ports: TenderPorts): Promise<void> {
  const { redis, keys } = ports;
  // Whoever comes first does it for all.
  if ((await redis.set(keys.requestTender, '1', 'PX', TEND_MS - 500, 'NX')) === null) return;
  const faults: unknown[] = [];
  for (let from = 0; ; from += PAGE_REQUESTS) {
    const ids = await redis.zrange(keys.openRequests, `${from}`, `${from + PAGE_REQUESTS - 1}`);
    const lookup = redis.pipeline();
    for (const id of ids) lookup.hgetall(keys.request(id));
    const answers = (await lookup.exec()) ?? [];
    for (const [index, requestId] of ids.entries()) {
      const record = toRecord(requestId, answers[index]?.[1] as Record<string, string>, ports.nowMs());
      // One whose keys were spoilt must not keep the others from being looked after.
      if (record && !hasEnded(record)) await tend(record, ports).catch((fault) => faults.push(fault));
      else await redis.zrem(keys.openRequests, requestId);
    }
    if (ids.length < PAGE_REQUESTS) break;
  }
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} requests cannot be looked after`);
}

async function tend(record: RequestRecord, ports: TenderPorts): Promise<void> {
  const { redis, keys, silentMs = SILENT_MS } = ports;
  if (record.state === 'filling') {
    await abandonRequest(redis, keys, record, { fault: PRODUCER_DIED, onlyOfTheDead: true });
    return;
  }
  const silentForMs = ports.nowMs() - record.updatedAtMs;
  if (record.state === 'cancelled' && silentForMs > CANCEL_MS) return await finishCancelling(record, ports);
  if (record.state === 'cancelled' || silentForMs < silentMs) return;
  for (let from = 0; from < record.chunks; from += SLICE_CHUNKS) {
    for (const { chunk, texts } of await lostChunks(record, from, ports)) {
      await ports.settleLost(standIn(record, chunk, texts), record.lane);
    }
  }
}

async function finishCancelling(record: RequestRecord, { redis, keys }: TenderPorts): Promise<void> {
  const queue = EncodeQueue.open(redis, keys.prefix, record.model, record.lane);
  try {
    await removeChunks(redis, keys, queue, record);
  } finally {
    await queue.close();
  }
}

/**
 * Chunks that are not settled, and whose job is nowhere, or among the failed ones.
 * KEYS as requestScriptKeys, job prefix; ARGV request id, first chunk, chunk after the last.
 * Returns chunk and number of texts of each.
 */
const lostScript = new RedisScript(`
local lost = {}
for chunk = tonumber(ARGV[2]), tonumber(ARGV[3]) - 1 do
  if redis.call('GETBIT', KEYS[2], chunk) == 0 then
    local job = ARGV[1] .. '.' .. chunk
    if redis.call('EXISTS', KEYS[8] .. job) == 0 or redis.call('ZSCORE', KEYS[8] .. 'failed', job) then
      -- Where it is not known what it held, it is one text that is lost.
      local starts = redis.pcall('GETRANGE', KEYS[3], 4 * chunk, 4 * chunk + 7)
      local from, to = 0, 1
      if type(starts) == 'string' and #starts == 8 then from, to = struct.unpack('>I4I4', starts) end
      lost[#lost + 1] = chunk
      lost[#lost + 1] = math.max(1, math.min(to - from, ${MAX_CHUNK_TEXTS}))
    end
  end
end
return lost`);

async function lostChunks(
  { requestId, model, lane, chunks }: RequestRecord,
  from: number,
  { redis, keys }: TenderPorts,
): Promise<{ chunk: number; texts: number }[]> {
  const lost = (await lostScript.run(
    redis,
    [...requestScriptKeys(keys, requestId), keys.jobPrefix(model, lane)],
    [requestId, from, Math.min(from + SLICE_CHUNKS, chunks)],
  )) as number[];
  return lost.flatMap((chunk, at) => (at % 2 === 0 ? [{ chunk, texts: lost[at + 1] ?? 0 }] : []));
}

/** The job of a chunk as far as its record tells, to settle it with. */
function standIn(record: RequestRecord, chunkIndex: number, texts: number): EncodeJob {
  const { requestId, clientId, model, fingerprint, resultTtlMs } = record;
  const known = { requestId, chunkIndex, clientId, model, fingerprint, texts, resultTtlMs };
  return standInJob({ ...known, tracked: true, awaited: false });
}

/** Why a chunk without a job has no vectors. */
export function lostBlock(texts: number): ReturnType<typeof failedBlock> {
  return failedBlock(texts, 'internal', 'the job of this text ended without a result');
}
