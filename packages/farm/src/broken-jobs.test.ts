import { encodeRequestSchema, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const request = (options: object = {}) => encodeRequestSchema.parse(options);
const QUEUE = '{embedfarm}:fake-interactive';

/** What somebody else may have written in place of a job's data. */
const BROKEN: readonly (readonly [string, string | Buffer])[] = [
  ['random bytes', Buffer.from([0xff, 0x00, 0x9f, 0x7b, 0x22])],
  ['no JSON', '{"version":1,'],
  ['nothing', ''],
  ['null', 'null'],
  ['a list', '[[[]]]'],
  ['a list a million deep', '['.repeat(1_000_000)],
  ['a newer version', '{"version":2,"texts":["a","b","c"],"awaited":true}'],
  ['another kind of texts', '{"version":1,"texts":{"length":1e9}}'],
  ['prototype keys', '{"__proto__":{"texts":[]},"constructor":1,"prototype":[]}'],
  ['a name of a megabyte', JSON.stringify({ ['x'.repeat(1_000_000)]: 1 })],
  ['a client of its own', '{"clientId":"{embedfarm}:requests"}'],
];

describe('a job that is none', () => {
  let redis: TestRedis;
  let client: Redis;
  let producer: Producer;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
    await (await openWorker()).close();
    producer = await Producer.open({ redis: redis.url });
    open.push(producer);
  });
  afterEach(async () => {
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
    client.disconnect();
    await redis.close();
  });

  async function openWorker(): Promise<FarmWorker> {
    const options = { redis: redis.url, lockDurationMs: 500, stalledIntervalMs: 100 };
    const worker = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), options);
    open.push(worker);
    return worker;
  }

  const jobOf = (call: number): string => `${QUEUE}:0-${producer.clientId}-${call}.0`;

  it.each(BROKEN)('with %s for data fails its awaited call at once, and no other', async (_, data) => {
    const spoilt = producer.encode(['a', 'b', 'c'], request(), {}).catch((error: unknown) => error);
    await eventually(() => client.exists(jobOf(1)));
    const fine = producer.encode(['fine'], request(), {});
    await eventually(() => client.exists(jobOf(2)));
    await client.hset(jobOf(1), 'data', data);
    await openWorker();
    const error = await spoilt;
    expect(error).toMatchObject({ code: 'invalid_argument' });
    expect((error as Error).message.length).toBeLessThan(2_000);
    expect(Array.from((await fine).block.values)).toEqual(fakeVector('fine'));
  });

  it.each(BROKEN)(
    'with %s for data fails its texts of a submitted request, and no other',
    async (_, data) => {
      const texts = Array.from({ length: 600 }, (__, index) => `text ${index}`);
      const { requestId: id } = await producer.requests.submit(
        texts,
        request({ lane: 'interactive' }),
        {},
        {},
      );
      await client.hset(`${QUEUE}:${id}.1`, 'data', data);
      await openWorker();
      const { block } = await producer.requests.result(id, {}, { timeoutMs: 10_000 });
      const spoilt = Array.from({ length: 256 }, (__, index) => 256 + index);
      expect(block.failures).toMatchObject([{ code: 'invalid_argument', texts: spoilt }]);
      const good = texts.filter((__, index) => !spoilt.includes(index));
      expect(Array.from(block.values)).toEqual(good.flatMap(fakeVector));
      expect(await producer.requests.read(id)).toMatchObject({
        state: 'completed',
        chunksSettled: 3,
        texts: 600,
        textsDone: 344,
        textsFailed: 256,
      });
    },
  );

  it('fails as many texts as were planned, where nothing of it tells how many', async () => {
    const texts = Array.from({ length: 600 }, (_, index) => `text ${index}`);
    const { requestId: id } = await producer.requests.submit(texts, request({ lane: 'interactive' }), {}, {});
    await client.hset(`${QUEUE}:${id}.1`, 'data', 'x', 'name', 'x');
    await openWorker();
    const { block } = await producer.requests.result(id, {}, {});
    expect(block.failures[0]?.texts).toHaveLength(256);
    expect(await producer.requests.read(id)).toMatchObject({ textsDone: 344, textsFailed: 256 });
  });

  it('fails a request of nothing else', async () => {
    const { requestId: id } = await producer.requests.submit(['a', 'b'], request(), {}, {});
    await client.hset(`${QUEUE}:${id}.0`, 'data', 'x', 'name', 'x');
    await openWorker();
    await expect(producer.requests.result(id, {}, {})).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await producer.requests.read(id)).toMatchObject({ state: 'failed', textsFailed: 2 });
  });

  it('fails the chunk that its id names where its data is another one', async () => {
    const { requestId: one } = await producer.requests.submit(['one'], request(), {}, {});
    const { requestId: other } = await producer.requests.submit(['other', 'texts'], request(), {}, {});
    const data = (await client.hget(`${QUEUE}:${other}.0`, 'data')) ?? '';
    await client.hset(`${QUEUE}:${one}.0`, 'data', data);
    await openWorker();
    await expect(producer.requests.result(one, {}, {})).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(`job ${one}.0 holds chunk ${other}.0`),
    });
    expect((await producer.requests.result(other, {}, {})).block.failures).toEqual([]);
  });

  it('takes no notice of what BullMQ would do with it by itself', async () => {
    const { requestId: id } = await producer.requests.submit(['a'], request(), {}, {});
    const opts = JSON.stringify({ backoff: { type: 'no such strategy', delay: 1 } });
    await client.hset(`${QUEUE}:${id}.0`, { defa: 'given up', rjk: 'every', id: 'another', opts });
    await openWorker();
    expect((await producer.requests.result(id, {}, {})).block.failures).toEqual([]);
  });

  it('with an id of nobody ends by itself, and leaves nothing that lasts', async () => {
    const worker = await openWorker();
    const queue = new Queue('fake-interactive', {
      connection: new Redis(redis.url, { maxRetriesPerRequest: null }),
      prefix: '{embedfarm}',
    });
    const ids = ['x', '{embedfarm}.1', '0-abc-1.4294967295', '0-abc-1.1048575', 'no-such-request.7', '..'];
    for (const jobId of ids) await queue.add('x', { jobId }, { jobId, removeOnFail: false });
    const { requestId: id } = await producer.requests.submit(['a'], request(), {}, {});
    await queue.add('x', {}, { jobId: `${id}.9` });
    await producer.requests.result(id, {}, {});
    await eventually(async () => (await queue.getFailedCount()) === ids.length + 1);
    expect(await producer.requests.read(id)).toMatchObject({
      state: 'completed',
      textsDone: 1,
      textsFailed: 0,
    });
    expect(await client.strlen(redisKeys().requestBits(id))).toBe(1);
    await worker.close();
    // BullMQ keeps failed jobs by age and number.
    await queue.obliterate({ force: true });
    await queue.close();
    await producer.close();
    expect(await keysWithoutTtl(redis.url)).toEqual([]);
  });
});
