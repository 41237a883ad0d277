import { FarmError, type RedisKeys } from '@embedfarm/contract';
import type { Load } from '../queue/chunk-load.ts';
import { DEFAULT_MAX_TEXTS, DEFAULT_MEMORY_SHARE } from './farm-limits.ts';
import type { FarmRedis } from './farm-redis.ts';
import { FARM_ROOM_LUA, RELEASE_CHUNK_LUA, SET_LEASE_LUA } from './lease-lua.ts';
import { RedisScript } from './redis-script.ts';

/** What is too full to take more: Redis' memory, or one of the farm's limits. */
export const FULL_THINGS = ['memory', 'texts', 'bytes'] as const;
export type FullThing = (typeof FULL_THINGS)[number];

/** What the farm holds and may hold, at one moment. */
export interface AdmissionStatus extends Load {
  readonly maxTexts: number;
  /** The limit that was set, or the memory stop where that is less. */
  readonly maxBytes: number;
  readonly memory: {
    readonly usedBytes: number;
    /** Redis' `maxmemory`; where that is 0, the memory of its machine. */
    readonly maxBytes: number;
    /** Above this nothing more is admitted. */
    readonly stopBytes: number;
  };
}

/** What Redis said to one who asked for room. */
export interface AdmissionAnswer {
  /** What is full; undefined when the room was given. */
  readonly full: FullThing | undefined;
  /** What the asker may hold from now on. */
  readonly lease: Load;
  readonly farm: AdmissionStatus;
  /** Texts settled in the last 10 s; only told with `full`. */
  readonly drainedTexts: number;
}

/** A client keeps this much more than it uses, or as much again as it uses, so that it seldom asks. */
export const SLAB: Load = { texts: 1_024, bytes: 4 * 1024 * 1024 };
/**
 * Beyond its use, a client keeps no more than this part of what is left: room that one keeps
 * another lacks, and near a limit every text counts.
 */
const SPARE_PART = 1_024;

/**
 * A client's lease as it wants it, what it uses and some to spare. With `mustHold` it is a
 * heartbeat that tells what is held already, and is never refused.
 * It runs without memory as well (allow-oom): it is what tells producers to stop, and gives back.
 *
 * KEYS admission, limits, stats prefix
 * ARGV lease, texts, bytes, must hold, slab texts, slab bytes, spare part, default texts, default share
 */
const askScript = new RedisScript(`#!lua flags=allow-oom
${SET_LEASE_LUA}
${FARM_ROOM_LUA}
local room = farmRoom(KEYS[1], KEYS[2], ARGV[8], ARGV[9])
local held = readLease(KEYS[1], ARGV[1])
local texts, bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local full = faultOf(room, texts - held.texts, bytes - held.bytes)
if full ~= '' and ARGV[4] ~= '1' then return tell(room, full, held.texts, held.bytes, KEYS[3]) end
local function spare(slab, use, left)
  if full ~= '' then return 0 end
  return math.max(0, math.min(math.max(tonumber(slab), use), math.floor((left - use) / tonumber(ARGV[7]))))
end
texts = texts + spare(ARGV[5], texts, room.maxTexts - room.texts + held.texts)
bytes = bytes + spare(ARGV[6], bytes, room.maxBytes - room.bytes + held.bytes)
setLease(KEYS[1], ARGV[1], texts, bytes)
return tell(room, '', texts, bytes, KEYS[3])`);

/** Asks for a client's lease to hold `use`. The lease is as before when it is refused. */
export async function askLease(
  redis: FarmRedis,
  keys: RedisKeys,
  clientId: string,
  use: Load,
  { mustHold = false }: { mustHold?: boolean } = {},
): Promise<AdmissionAnswer> {
  return parseAnswer(
    await askScript.run(
      redis,
      [keys.admission, keys.limits, keys.statsPrefix],
      [
        clientLease(clientId),
        use.texts,
        use.bytes,
        mustHold ? 1 : 0,
        SLAB.texts,
        SLAB.bytes,
        SPARE_PART,
        DEFAULT_MAX_TEXTS,
        DEFAULT_MEMORY_SHARE,
      ],
    ),
  );
}

/** KEYS admission; ARGV lease. */
const dropScript = new RedisScript(`#!lua flags=allow-oom
${SET_LEASE_LUA}
setLease(KEYS[1], ARGV[1], 0, 0)
return 1`);

/** A client that leaves gives back its lease. */
export async function dropClientLease(redis: FarmRedis, keys: RedisKeys, clientId: string): Promise<void> {
  await dropScript.run(redis, [keys.admission], [clientLease(clientId)]);
}

/**
 * KEYS admission, limits, stats prefix, request; ARGV request id, texts, bytes, default texts, default share
 * Returns the answer, or the state of a request that takes no more ('gone' without a record).
 */
const reserveScript = new RedisScript(`
${RELEASE_CHUNK_LUA}
${FARM_ROOM_LUA}
local state = redis.call('HGET', KEYS[4], 'state')
if not state then return 'gone' end
if not OPEN[state] then return state end
local room = farmRoom(KEYS[1], KEYS[2], ARGV[4], ARGV[5])
local full = faultOf(room, tonumber(ARGV[2]), tonumber(ARGV[3]))
if full == '' then
  redis.call('HINCRBY', KEYS[4], 'reservedTexts', ARGV[2])
  redis.call('HINCRBY', KEYS[4], 'heldBytes', ARGV[3])
  followRecord(KEYS[1], KEYS[4], ARGV[1])
end
local held = readLease(KEYS[1], 'r:' .. ARGV[1])
return tell(room, full, held.texts, held.bytes, KEYS[3])`);

/**
 * Asks once for room for more of a submitted request, whose record must be open.
 *
 * @throws FarmError `result_expired` when there is no record; `cancelled` when the request has ended.
 */
export async function askRequestLease(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  more: Load,
): Promise<AdmissionAnswer> {
  const answer = await reserveScript.run(
    redis,
    [keys.admission, keys.limits, keys.statsPrefix, keys.request(requestId)],
    [requestId, more.texts, more.bytes, DEFAULT_MAX_TEXTS, DEFAULT_MEMORY_SHARE],
  );
  if (answer === 'gone') throw new FarmError('result_expired', `there is no request ${requestId}`);
  if (typeof answer === 'string') {
    throw new FarmError('cancelled', `request ${requestId} is ${answer}, it takes no more texts`);
  }
  return parseAnswer(answer);
}

/** KEYS admission, limits, stats prefix; ARGV default texts, default share */
const readScript = new RedisScript(`
${FARM_ROOM_LUA}
return tell(farmRoom(KEYS[1], KEYS[2], ARGV[1], ARGV[2]), '', 0, 0, KEYS[3])`);

/** What the farm holds and may hold. */
export async function readAdmission(redis: FarmRedis, keys: RedisKeys): Promise<AdmissionStatus> {
  const answer = await readScript.run(
    redis,
    [keys.admission, keys.limits, keys.statsPrefix],
    [DEFAULT_MAX_TEXTS, DEFAULT_MEMORY_SHARE],
  );
  return parseAnswer(answer).farm;
}

function clientLease(clientId: string): string {
  return `c:${clientId}`;
}

/** The list that `tell` makes. */
function parseAnswer(answer: unknown): AdmissionAnswer {
  if (!Array.isArray(answer)) throw new FarmError('internal', 'the admission script gave no list');
  const full = FULL_THINGS.find((thing) => thing === answer[0]);
  const [leaseTexts, leaseBytes, texts, bytes, maxTexts, maxBytes, used, memory, stop, drained] = answer
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number, number, number];
  return {
    full,
    lease: { texts: leaseTexts, bytes: leaseBytes },
    farm: {
      texts,
      bytes,
      maxTexts,
      maxBytes,
      memory: { usedBytes: used, maxBytes: memory, stopBytes: stop },
    },
    drainedTexts: drained,
  };
}
