import { isUtf8 } from 'node:buffer';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';

/** Fields that BullMQ keeps for jobs of other kinds than ours; each can make its scripts stop half way. */
const FOREIGN_FIELDS = ['parent', 'parentKey', 'rjk', 'deid', 'defa'] as const;
/** What BullMQ counts in. */
const COUNTER_FIELDS = ['atm', 'ats', 'stc', 'delay', 'priority'] as const;
const JSON_FIELDS = ['progress'] as const;
const FIELDS = ['opts', ...FOREIGN_FIELDS, ...COUNTER_FIELDS, ...JSON_FIELDS];

/** Whoever pulls wakes by the marker; a script that stopped half way has set none. */
const WAKE_SCORE = 0;

/**
 * A hash loses what does not belong there. What is no hash becomes a job without data, which is settled as broken; its
 * lock goes, so that the stalled check has it soon. What has ended meanwhile stays away.
 *
 * KEYS job, marker, lock; ARGV whether the options are to be made anew, then fields to take away. Returns what it did.
 */
const mendScript = new RedisScript(`
redis.call('ZADD', KEYS[2], ${WAKE_SCORE}, '0')
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return 'gone' end
if kind ~= 'hash' then
  redis.call('UNLINK', KEYS[1], KEYS[3])
  redis.call('HSET', KEYS[1], 'name', '', 'data', '', 'opts', '{}', 'timestamp', redis.call('TIME')[1] * 1000)
  return 'replaced'
end
if ARGV[1] == '1' then redis.call('HSET', KEYS[1], 'opts', '{}') end
if #ARGV > 1 then redis.call('HDEL', KEYS[1], unpack(ARGV, 2)) end
return 'mended'`);

/** What mending needs of its queue. */
export interface MendPorts {
  readonly redis: FarmRedis;
  /** The name of one of the queue's keys; of a job by its id. */
  readonly toKey: (part: string) => string;
}

/**
 * Mends jobs that were written over by hand in a way on which BullMQ's scripts, or its reading of them, stop: they would
 * be pulled and lost to the stalled check again and again, and each time keep their lane waiting.
 *
 * @param ids jobs to look at; without them, all that are active.
 */
export async function mendJobs({ redis, toKey }: MendPorts, ids?: readonly string[]): Promise<void> {
  const jobIds = ids ?? (await readActive({ redis, toKey }));
  const lookup = redis.pipeline();
  for (const id of jobIds) lookup.hmget(toKey(id), ...FIELDS);
  const answers = (await lookup.exec()) ?? [];
  for (const [index, id] of jobIds.entries()) {
    const [fault, stored] = answers[index] ?? [];
    const fields = fault ? [] : brokenFields((stored ?? []) as (string | null)[]);
    if (!fault && fields.length === 0) continue;
    const isNew = fields.includes('opts') ? 1 : 0;
    const foreign = fields.filter((field) => field !== 'opts');
    await mendScript.run(redis, [toKey(id), toKey('marker'), toKey(`${id}:lock`)], [isNew, ...foreign]);
  }
  if (ids === undefined) await redis.zadd(toKey('marker'), WAKE_SCORE, '0');
}

/** Ids of the jobs in hand. One that is no UTF-8 is another for BullMQ than for Redis, and can never end: it goes. */
async function readActive({ redis, toKey }: MendPorts): Promise<string[]> {
  const active = await redis.lrangeBuffer(toKey('active'), 0, -1);
  const [good, bad] = [active.filter(isUtf8), active.filter((id) => !isUtf8(id))];
  for (const id of bad) {
    const jobKey = Buffer.concat([Buffer.from(toKey('')), id]);
    await redis.lrem(toKey('active'), 0, id);
    await redis.unlink(jobKey, Buffer.concat([jobKey, Buffer.from(':lock')]));
  }
  return good.map(String);
}

/** Which of FIELDS stand in BullMQ's way. */
function brokenFields(stored: readonly (string | null)[]): string[] {
  return FIELDS.filter((field, at) => {
    const value = stored[at];
    if (value === null || value === undefined) return false;
    if (field === 'opts') return !isObject(value);
    if ((COUNTER_FIELDS as readonly string[]).includes(field)) return !/^\d{1,9}$/.test(value);
    if ((JSON_FIELDS as readonly string[]).includes(field)) return parse(value) === undefined;
    return true;
  });
}

function isObject(json: string): boolean {
  const parsed = parse(json);
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
