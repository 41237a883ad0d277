import { encodeRequestSchema, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TextsFailed, type EncodedTexts } from './producer/encoded-texts.ts';
import { Producer } from './producer/producer.ts';
import { SuspectRuns } from './redis/suspect-runs.ts';
import {
  BLOCKER,
  kill,
  KILLER,
  printed,
  restartUntil,
  startWorkerProcess,
} from './worker-process.fixture.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const request = (options: object = {}) => encodeRequestSchema.parse(options);
const MAX_LONE_DEATHS = 3;

describe('a text that kills the process that runs it', () => {
  let redis: TestRedis;
  let client: Redis;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
    // So that the model is known.
    await (await FarmWorker.open(fakeRegistration(), new FakeEncoder(), { redis: redis.url })).close();
  });
  afterEach(async () => {
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
    client.disconnect();
    await redis.close();
  });

  async function openProducer(): Promise<Producer> {
    const producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    return producer;
  }

  async function openWorker(): Promise<void> {
    const options = { redis: redis.url, lockDurationMs: 500, stalledIntervalMs: 100 };
    open.push(await FarmWorker.open(fakeRegistration(), new FakeEncoder(), options));
  }

  /** A worker that dies between the answer and the job's end leaves them to the next one. */
  async function expectNoMarks(): Promise<void> {
    await openWorker();
    await eventually(async () => (await client.keys(redisKeys().suspect('*'))).length === 0);
  }

  const waitingJobs = (): Promise<number> => client.llen('{embedfarm}:fake-interactive:wait');

  it('fails alone: the rest of its chunk and all strangers get their vectors', async () => {
    const [mine, theirs] = [await openProducer(), await openProducer()];
    const texts = Array.from({ length: 40 }, (_, index) => (index === 23 ? KILLER : `text ${index}`));
    const chunk = mine.encode(texts, request(), {}).catch((error: unknown) => error);
    const strangers: Promise<EncodedTexts>[] = [];
    for (let index = 0; index < 8; index += 1) {
      strangers.push(theirs.encode([`stranger ${index}`], request(), {}));
      // Calls of one tick would be one job.
      await eventually(async () => (await waitingJobs()) === index + 2);
    }
    const deaths = await restartUntil(Promise.all([chunk, ...strangers]), (died) =>
      // The first death takes all nine jobs with it.
      startWorkerProcess({ redis: redis.url, company: died === 0 ? 9 : 0 }),
    );

    for (const [index, stranger] of strangers.entries()) {
      expect(Array.from((await stranger).block.values)).toEqual(fakeVector(`stranger ${index}`));
    }
    const failed = (await chunk) as TextsFailed;
    expect(failed).toBeInstanceOf(TextsFailed);
    expect(failed.failures).toEqual([
      { index: 23, code: 'device_lost', message: expect.stringContaining(`${MAX_LONE_DEATHS} times`) },
    ]);
    const good = texts.filter((text) => text !== KILLER);
    expect(Array.from(failed.encoded.block.values)).toEqual(good.flatMap(fakeVector));
    // In company, as a chunk, as a part of it, and by itself.
    expect(deaths).toBeLessThanOrEqual(3 + MAX_LONE_DEATHS);
    await expectNoMarks();
  }, 40_000);

  it('is one of two in a request, and both fail alone', async () => {
    const producer = await openProducer();
    const texts = ['a', KILLER, 'b', 'c', KILLER, 'd'];
    const { requestId: id } = await producer.requests.submit(texts, request(), {}, {});
    const result = producer.requests.result(id, {}, {});
    const deaths = await restartUntil(result, () => startWorkerProcess({ redis: redis.url }));
    const { block } = await result;
    expect(block.failures).toEqual([
      { code: 'device_lost', message: expect.any(String), texts: [1] },
      { code: 'device_lost', message: expect.any(String), texts: [4] },
    ]);
    expect(Array.from(block.values)).toEqual(['a', 'b', 'c', 'd'].flatMap(fakeVector));
    expect(await producer.requests.read(id)).toMatchObject({
      state: 'completed',
      textsDone: 4,
      textsFailed: 2,
    });
    expect(deaths).toBeLessThanOrEqual(2 + 2 * MAX_LONE_DEATHS);
    expect(await keysWithoutTtl(redis.url)).toEqual([]);
    await expectNoMarks();
  }, 40_000);

  it('may only block it for longer than the lock, and gets its vector from another', async () => {
    const producer = await openProducer();
    const call = producer.encode([BLOCKER], request(), {});
    const first = startWorkerProcess({ redis: redis.url });
    await printed(first, 'blocks');
    const second = startWorkerProcess({ redis: redis.url });
    // Alone now, and marked.
    await printed(second, 'blocks');
    await openWorker();
    expect(Array.from((await call).block.values)).toEqual(fakeVector(BLOCKER));
    for (const silent of [first, second]) {
      silent.stdin?.end();
      await printed(silent, 'goes on');
    }
    await expectNoMarks();
    await Promise.all([kill(first), kill(second)]);
  }, 30_000);

  it('is known by its mark, until the run that it stands for ends after all', async () => {
    const runs = new SuspectRuns(client, redisKeys());
    const silent = await runs.begin('0-abc-1.0', { from: 0, to: 1 });
    await runs.begin('0-abc-1.0', { from: 0, to: 1 });
    await client.hset(redisKeys().suspect('0-abc-1.0'), 'x', 'garbage');
    expect(await runs.deaths('0-abc-1.0')).toHaveLength(2);
    await runs.end('0-abc-1.0', silent);
    expect(await runs.deaths('0-abc-1.0')).toEqual([{ from: 0, to: 1 }]);
    expect(await client.pttl(redisKeys().suspect('0-abc-1.0'))).toBeGreaterThan(0);
    await runs.forget('0-abc-1.0');
    expect(await runs.deaths('0-abc-1.0')).toEqual([]);
  });
});
