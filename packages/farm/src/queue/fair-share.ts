import { MAX_CHUNK_TEXTS, textBytes, type EncodeJob, type RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { LOWER_TAGS_LUA, REBASE_LUA } from './rebase-tags.ts';
import { WEIGHT_LUA } from './tenant-weights.ts';

/** BullMQ takes no higher priority. */
const MAX_PRIORITY = 2 ** 21 - 1;
/** Bytes of 256 texts of 40 tokens: a chunk of these costs 1, by its texts as by its bytes. */
const CHUNK_BYTES = 40_000;
/** Tags that nobody takes any more are forgotten. */
const TAGS_TTL_MS = 7 * 24 * 3_600_000;
/** A producer has its jobs in the queue this long after it took their tags, else they stand where they stand. */
const TRANSIT_MS = 5_000;
/** Jobs that a script lowers while tags are rebased: 5 ms of Redis. */
const REBASE_JOBS = 1_000;

/** Whose a chunk is, and what it takes of the bulk lane. */
export interface ChunkShare {
  readonly tenant: string;
  /** 1 is a chunk of 256 texts of 40 tokens. */
  readonly cost: number;
}

/** By texts or by bytes, whichever is more: 256 short texts hold up the lane as 256 rows, a long one by its tokens. */
export function chunkShare({ texts, tenant, clientId }: EncodeJob): ChunkShare {
  const bytes = texts.reduce((total, text) => total + textBytes(text), 0);
  return { tenant: tenant ?? clientId, cost: Math.max(texts.length / MAX_CHUNK_TEXTS, bytes / CHUNK_BYTES) };
}

/**
 * For each chunk the start tag `max(virtual time, tenant's next)`, after which the tenant's next is
 * `start + cost / weight`. The virtual time is the highest start tag settled, or that of the job to be pulled next less 1,
 * whichever is more: all tags below it are worth the same. Less 1, as what is in hand came before that job: a newcomer
 * with the same tag would stand behind it, though its tenant is being served. Nothing waits, runs or is on its way: it goes up to the highest tag, so
 * that all tenants start over together; jobs that come late all the same then stand before the new ones, not behind.
 *
 * KEYS fair share, fair share tenants, weights, prioritized, wait, active, delayed, job prefix
 * ARGV max priority, TTL, transit ms, jobs to rebase, then tenant and cost of each chunk
 * Returns the priority of each chunk.
 */
const takeScript = new RedisScript(`
${REBASE_LUA}
${LOWER_TAGS_LUA}
${WEIGHT_LUA}
-- What was put there by hand and is no tag counts as none.
local function tagOf(stored)
  local tag = tonumber(stored or 0)
  return tag and tag >= 0 and tag < 1e15 and tag or 0
end
local function highestTag() return tagOf(redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]) end

local jobs = { prioritized = KEYS[4], wait = KEYS[5], active = KEYS[6], delayed = KEYS[7], prefix = KEYS[8] }
local limit = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record = redis.call('HMGET', KEYS[1], 'served', 'takenAtMs')
local served = tagOf(record[1])
local rebase = readRebase(KEYS[1])
if rebase.by > 0 then rebase = continueRebase(KEYS[1], jobs, rebase, tonumber(ARGV[4])) end
local nextJob = redis.call('ZRANGE', jobs.prioritized, 0, 0, 'WITHSCORES')
if nextJob[2] then
  served = math.max(served, tagAfter(math.floor(nextJob[2] / SCORES), rebase) - 2)
elseif now - tagOf(record[2]) >= tonumber(ARGV[3])
  and redis.call('LLEN', jobs.wait) + redis.call('LLEN', jobs.active) + redis.call('ZCARD', jobs.delayed) == 0 then
  served = math.max(served, highestTag())
  redis.call('UNLINK', KEYS[2])
  if served > limit / 2 then served = 0 end
end

local weights, steps, total = {}, {}, 0
for i = 5, #ARGV, 2 do
  local tenant = ARGV[i]
  weights[tenant] = weights[tenant] or weightOf(KEYS[3], tenant)
  steps[i] = ARGV[i + 1] / weights[tenant]
  total = total + steps[i]
end
-- An eighth of the range is left for what comes while jobs are lowered. For less than a tenth gained they are not:
-- one tenant's backlog fills the range, and its tags at the end are all equal.
if rebase.by == 0 and served >= limit / 10 and math.max(served, highestTag()) + total > limit * 7 / 8 then
  -- One is kept, for what was pulled before the next job and comes back: it stays before that.
  rebase = beginRebase(KEYS[1], KEYS[2], jobs, math.floor(served) - 1)
  served = served - rebase.by
end

local nexts, priorities = {}, {}
for i = 5, #ARGV, 2 do
  local tenant = ARGV[i]
  local start = math.max(served, nexts[tenant] or tagOf(redis.call('ZSCORE', KEYS[2], tenant)))
  nexts[tenant] = start + steps[i]
  priorities[#priorities + 1] = math.min(limit, priorityNow(math.floor(start) + 1, rebase))
end
for tenant, following in pairs(nexts) do redis.call('ZADD', KEYS[2], following, tenant) end
-- A tag that the virtual time has passed is worth nothing. One call adds one tenant, seldom more: 100 are enough.
local passed = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', served, 'LIMIT', 0, 100)
if #passed > 0 then redis.call('ZREM', KEYS[2], unpack(passed)) end
redis.call('HSET', KEYS[1], 'served', served, 'takenAtMs', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return priorities`);

/**
 * Also with no memory left, which is why jobs are refused: it takes none.
 * KEYS fair share, fair share tenants, weights; ARGV tenant and cost of each chunk.
 */
const refundScript = new RedisScript(`#!lua flags=allow-oom
${WEIGHT_LUA}
local served = tonumber(redis.call('HGET', KEYS[1], 'served') or 0) or 0
for i = 1, #ARGV, 2 do
  local following = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[i]) or 0)
  if following > served then
    following = math.max(served, following - ARGV[i + 1] / weightOf(KEYS[3], ARGV[i]))
    redis.call('ZADD', KEYS[2], following, ARGV[i])
  end
end
return 1`);

/** Other than by default in tests alone: nobody waits for two million jobs there. */
interface FairShareLimits {
  readonly maxPriority: number;
  readonly transitMs: number;
  readonly rebaseJobs: number;
}

/**
 * Who is next in a model's bulk lane: start-time fair queueing (Goyal, Vin, Cheng, 1996). Tenants that have work
 * waiting share the lane by their weights, whatever the number of their clients or jobs; idle time is no credit.
 * See docs/decisions/0021-fair-share-by-start-tags.md.
 */
export class FairShare {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #model: string;
  readonly #limits: FairShareLimits;

  constructor(redis: FarmRedis, keys: RedisKeys, model: string, limits: Partial<FairShareLimits> = {}) {
    this.#redis = redis;
    this.#keys = keys;
    this.#model = model;
    this.#limits = { maxPriority: MAX_PRIORITY, transitMs: TRANSIT_MS, rebaseJobs: REBASE_JOBS, ...limits };
  }

  /** @returns the priority of each chunk, from 1 on, lower goes first; chunks are the tenant's in the order given. */
  async takePriorities(chunks: readonly ChunkShare[]): Promise<number[]> {
    const { maxPriority, transitMs, rebaseJobs } = this.#limits;
    const part = (name: string): string => this.#keys.jobPrefix(this.#model, 'bulk') + name;
    const priorities = await takeScript.run(
      this.#redis,
      [...this.#tagKeys(), ...['prioritized', 'wait', 'active', 'delayed', ''].map(part)],
      [maxPriority, TAGS_TTL_MS, transitMs, rebaseJobs, ...chunks.flatMap(pairOf)],
    );
    return priorities as number[];
  }

  /** Chunks that were never served: their tenants have their costs back. */
  async refund(chunks: readonly ChunkShare[]): Promise<void> {
    if (chunks.length === 0) return;
    await refundScript.run(this.#redis, this.#tagKeys(), chunks.flatMap(pairOf));
  }

  #tagKeys(): string[] {
    const keys = this.#keys;
    return [keys.fairShare(this.#model), keys.fairShareTenants(this.#model), keys.weights];
  }
}

function pairOf({ tenant, cost }: ChunkShare): [string, number] {
  return [tenant, cost];
}
