import { LANES, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { VICTIM } from './fuzz-worker.ts';
import { junkBytes, junkNumber, spoilFields, spoilKey } from './junk.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VictimCall } from './victim-calls.ts';

const keys = redisKeys();
const JOB_FIELDS = [
  'opts',
  'opts',
  'opts',
  'data',
  'name',
  'timestamp',
  'priority',
  'delay',
  'atm',
  'ats',
  'stc',
  'progress',
  'parent',
  'parentKey',
  'rjk',
  'defa',
  'deid',
  'failedReason',
  'stacktrace',
  'returnvalue',
  'finishedOn',
  'processedOn',
  'id',
  'pb',
];
/** What it holds of the farm's room is left out: a number by hand is as good as any, and all share the room. */
const RECORD_FIELDS = [
  'state',
  'sealed',
  'clientId',
  'tenant',
  'model',
  'fingerprint',
  'lane',
  'label',
  'options',
  'texts',
  'chunks',
  'chunksEnqueued',
  'textsEnqueued',
  'chunksPlanned',
  'chunksSettled',
  'textsDone',
  'textsFailed',
  'tokens',
  'createdAtMs',
  'startedAtMs',
  'updatedAtMs',
  'endedAtMs',
  'expiresAtMs',
  'resultTtlMs',
  'webhook',
  'webhookState',
  'abandoned',
  'openEnded',
  'chunksConsumed',
];
const OPTIONS = [
  'null',
  '[]',
  '7',
  '"x"',
  '{',
  'x',
  '{"attempts":"x"}',
  '{"delay":1e15}',
  '{"backoff":{"type":"none"}}',
  '{"parent":{"id":"x","queue":"{embedfarm}:none"}}',
  '{"repeat":{"every":1}}',
  '{"removeOnComplete":{"count":-1}}',
  '{"__proto__":{"attempts":0}}',
  '{"priority":-1}',
  '{"lifo":true,"de":{"id":"x"}}',
];

/** The queue of the victims' model, stopped while what waits in it is spoilt. */
export class VictimQueue {
  readonly #redis: Redis;
  readonly #queues: Queue[];

  constructor(redis: Redis) {
    this.#redis = redis;
    this.#queues = LANES.map((lane) => {
      const queue = new Queue(`${VICTIM}-${lane}`, { connection: redis, prefix: keys.prefix });
      queue.on('error', () => undefined);
      return queue;
    });
  }

  async pause(): Promise<void> {
    for (const queue of this.#queues) await queue.pause();
  }

  async resume(): Promise<void> {
    for (const queue of this.#queues) await queue.resume();
  }

  /** Keys of the jobs that wait, with the calls that they are for (some share one), once each call has one that does. */
  async waiting(calls: readonly VictimCall[]): Promise<Map<string, VictimCall[]>> {
    const byText = new Map(calls.flatMap((call) => call.texts.map((text) => [text, call])));
    const found = new Map<string, VictimCall[]>();
    await eventually(async () => {
      found.clear();
      for (const lane of LANES) {
        const prefix = keys.jobPrefix(VICTIM, lane);
        const ids = [
          ...(await this.#redis.lrange(`${prefix}wait`, 0, -1)),
          ...(await this.#redis.lrange(`${prefix}paused`, 0, -1)),
          ...(await this.#redis.zrange(`${prefix}prioritized`, '0', '-1')),
        ];
        for (const id of ids) {
          const texts = textsOf(await this.#redis.hget(prefix + id, 'data'));
          const own = new Set(texts.flatMap((text) => byText.get(text) ?? []));
          if (own.size > 0) found.set(prefix + id, [...own]);
        }
      }
      return new Set([...found.values()].flat()).size === calls.length;
    });
    return found;
  }

  async close(): Promise<void> {
    for (const queue of this.#queues) await queue.close();
  }
}

/** None of a job that was spoilt, in this round or the one before. */
function textsOf(data: string | null): string[] {
  const { texts } = fieldsOf(data);
  return Array.isArray(texts) ? texts.map(String) : [];
}

function fieldsOf(data: string | null): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(data ?? '');
    return typeof fields === 'object' && fields !== null ? { ...fields } : {};
  } catch {
    return {};
  }
}

/** Does something to a waiting job, to its result, or to the record of its request. @returns what. */
export async function spoilJob(
  redis: Redis,
  jobKey: string,
  others: readonly string[],
  random: SeededRandom,
): Promise<string> {
  const id = jobKey.slice(jobKey.lastIndexOf(':') + 1);
  const requestId = id.split('.')[0] ?? '';
  const isSubmitted = (await redis.exists(keys.requestStarts(requestId))) === 1;
  const luck = random.next();
  if (isSubmitted && luck < 0.4) return await spoilRecord(redis, requestId, random);
  if (luck < 0.5) return await spoilKey(redis, jobKey, random);
  if (luck < 0.6) return await spoilKey(redis, keys.result(id), random);
  if (luck < 0.63) return await spoilKey(redis, keys.suspect(id), random);
  if (luck < 0.75) return await spoilData(redis, jobKey, others, random);
  if (luck < 0.85) {
    const opts = random.pick(OPTIONS);
    await redis.hset(jobKey, 'opts', opts);
    return `${jobKey} opts=${opts}`;
  }
  return await spoilFields(redis, jobKey, JOB_FIELDS, random);
}

/** A request's record, its bits, its starts. */
export async function spoilRecord(redis: Redis, requestId: string, random: SeededRandom): Promise<string> {
  const luck = random.next();
  if (luck < 0.6) return await spoilFields(redis, keys.request(requestId), RECORD_FIELDS, random);
  return await spoilKey(
    redis,
    random.pick([keys.request(requestId), keys.requestBits(requestId), keys.requestStarts(requestId)]),
    random,
  );
}

/** Data that is none, another job's, or a job's with a field that is not what it was. */
async function spoilData(
  redis: Redis,
  jobKey: string,
  others: readonly string[],
  random: SeededRandom,
): Promise<string> {
  if (random.chance(0.4)) {
    const data = junkBytes(random);
    await redis.hset(jobKey, 'data', data);
    return `${jobKey} data=${data.toString('utf8').slice(0, 60)}`;
  }
  const from = random.chance(0.2) ? random.pick(others) : jobKey;
  const data = fieldsOf(await redis.hget(from, 'data').catch(() => null));
  const field = random.pick([...Object.keys(data), 'refused', 'cacheTtlMs', 'more']);
  data[field] = random.pick([
    null,
    -1,
    1e308,
    '',
    'x',
    [],
    {},
    true,
    junkNumber(random),
    junkBytes(random).toString('latin1').slice(0, 1e4),
    ['other', 'number', 'of', 'texts'],
    [['a', 'b']],
    [[]],
    { dtype: 'int8' },
    { dimensions: 3 },
    [
      {
        text: 99,
        message: 'x',
      },
    ],
  ]);
  await redis.hset(jobKey, 'data', JSON.stringify(data));
  return `${jobKey} ${field}=${JSON.stringify(data[field])?.slice(0, 60)}`;
}
