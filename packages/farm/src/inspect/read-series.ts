import type { RedisKeys } from '@embedfarm/contract';
import { calmAnswers } from '../redis/calm-answers.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { readRedisTimeMs } from '../redis/redis-time.ts';
import { readSmallFields } from '../redis/small-fields.ts';
import { countOf, isCount } from '../stats/parse-minute.ts';
import type { StatsPoint } from './stats-point.ts';

/** Seconds that are read at once: of an hour, a hundred workers are told of in each. */
const PAGE_SECONDS = 600;
/** A second with more fields than that is of a farm with as many workers: of those only some are read. */
const MAX_FIELDS = 120;
/** Workers that are read of such a second: the same ones in each, so that they can be drawn. */
const MAX_WORKERS = 16;
/** Longest id of a worker; what is longer was put there by hand. */
const MAX_ID_LENGTH = 300;

const COUNTS = ['texts', 'tokens', 'failed', 'clients', 'backlog:interactive', 'backlog:bulk', 'oldestMs'];
/** What a second has besides its workers. */
const FIELDS = [...COUNTS, 'chunks', 'cacheLookups', 'cacheHits'];

/** One point a second, oldest first, up to the last whole second, whatever number of workers there is. */
export async function readSeries(redis: FarmRedis, keys: RedisKeys, seconds: number): Promise<StatsPoint[]> {
  const first = Math.floor((await readRedisTimeMs(redis, keys)) / 1000) - seconds;
  const points: StatsPoint[] = [];
  for (let from = 0; from < seconds; from += PAGE_SECONDS) {
    const count = Math.min(PAGE_SECONDS, seconds - from);
    points.push(...(await readPage(redis, keys, first + from, count)));
  }
  return points;
}

async function readPage(
  redis: FarmRedis,
  keys: RedisKeys,
  first: number,
  count: number,
): Promise<StatsPoint[]> {
  const hashes = Array.from({ length: count }, (_, index) => keys.statsSecond(first + index));
  const read = (named: readonly string[]) => readSmallFields(redis, hashes, { maxFields: MAX_FIELDS, named });
  let answers = await read(FIELDS);
  if (answers.some(({ size }) => size > MAX_FIELDS)) {
    answers = await read([...FIELDS, ...(await workersToFollow(redis, keys)).map((id) => `worker:${id}`)]);
  }
  return answers.map(({ size, fields }, index) => {
    const others = size > MAX_FIELDS ? size - Object.keys(fields).length : 0;
    return toPoint(first + index, fields, others);
  });
}

/** Those that are alive, by their ids, so that they are the same ones each time. */
async function workersToFollow(redis: FarmRedis, keys: RedisKeys): Promise<string[]> {
  const [ids] = await calmAnswers(redis.pipeline().zrevrange(keys.workers, 0, -1));
  return (Array.isArray(ids) ? (ids as string[]) : []).toSorted().slice(0, MAX_WORKERS);
}

/** `otherWorkers`: fields that were not read. */
function toPoint(
  second: number,
  fields: Readonly<Record<string, string>> = {},
  otherWorkers = 0,
): StatsPoint {
  const count = (field: string): number => countOf(fields[field]);
  // Who looked has told of the clients, if there were none.
  const isSampled = isCount(fields['clients']);
  const workers = Object.keys(fields).flatMap((field): [string, number][] => {
    if (!field.startsWith('worker:') || field.length > MAX_ID_LENGTH) return [];
    const texts = count(field);
    return texts > 0 ? [[field.slice('worker:'.length), texts]] : [];
  });
  return {
    second,
    texts: count('texts'),
    tokens: count('tokens'),
    failed: count('failed'),
    clients: isSampled ? count('clients') : null,
    backlog: isSampled ? { interactive: count('backlog:interactive'), bulk: count('backlog:bulk') } : null,
    oldestMs: isSampled ? count('oldestMs') : null,
    busyWorkers: workers.length + otherWorkers,
    workers: Object.fromEntries(workers),
  };
}
