import { encodeJobId } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tendRequests } from './request/tend-requests.ts';
import { encodeRequest, manyTexts, submitted, TestFarm } from './testing/test-farm.ts';
import type { Producer } from './producer/producer.ts';

const INTERACTIVE = encodeRequest({ lane: 'interactive' });
const QUEUE = '{embedfarm}:fake-interactive';
/** Short, so that what a stalled check brings back is soon there. */
const LOCK = { lockDurationMs: 500, stalledIntervalMs: 100 };

describe('what is written over by hand', () => {
  let farm: TestFarm;
  let producer: Producer;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    await farm.registerModel();
    producer = await farm.openProducer();
  });
  afterEach(() => farm.rest());

  const openWorker = () => farm.openWorker(new FakeEncoder(), LOCK);
  const submit = (texts: number) => submitted(producer, manyTexts(texts), INTERACTIVE, {}, {});

  it.each([
    ['options that are no JSON', { opts: 'x' }],
    ['options that are null', { opts: 'null' }],
    ['progress that is no JSON', { progress: '{' }],
    ['a parent that is no JSON', { parent: 'x' }],
    ['a parent without an id', { parent: '{}' }],
    ['attempts that are no number', { atm: 'x' }],
    ['starts that are no number', { ats: 'x' }],
    ['stalls that are no number', { stc: '1e308' }],
  ])('is no matter to a job: %s', async (_, fields) => {
    const id = await submit(600);
    await farm.client.hset(`${QUEUE}:${id}.1`, fields);
    const worker = await openWorker();
    const { block } = await producer.requests.result(id, {}, { timeoutMs: 10_000 });
    expect(Array.from(block.values)).toEqual(manyTexts(600).flatMap(fakeVector));
    await eventually(async () => (await farm.client.llen(`${QUEUE}:active`)) === 0);
    await worker.close();
    await producer.close();
    expect(await keysWithoutTtl(farm.redis.url)).toEqual([]);
  });

  it.each(['list', 'string', 'zset'])('fails one chunk where it was the job: a %s', async (type) => {
    const id = await submit(600);
    const key = `${QUEUE}:${id}.1`;
    await farm.client.unlink(key);
    if (type === 'list') await farm.client.rpush(key, 'x');
    if (type === 'string') await farm.client.set(key, 'x');
    if (type === 'zset') await farm.client.zadd(key, 1, 'x');
    await openWorker();
    const { block } = await producer.requests.result(id, {}, { timeoutMs: 10_000 });
    expect(block.failures).toMatchObject([{ code: 'invalid_argument', texts: { length: 256 } }]);
    expect(await producer.requests.read(id)).toMatchObject({ state: 'completed', textsDone: 344 });
  });

  it.each(['admission', 'webhooksDue', 'openRequests', 'fairShare'] as const)(
    'keeps no request from its end: %s',
    async (name) => {
      const id = await submit(300);
      const key = name === 'fairShare' ? farm.keys.fairShare('fake') : farm.keys[name];
      await farm.client.unlink(key);
      await farm.client.set(key, 'x');
      await openWorker();
      expect(await producer.requests.wait(id, { timeoutMs: 10_000 })).toMatchObject({ state: 'completed' });
    },
  );

  it('keeps no worker from looking after other requests', async () => {
    const [spoilt, lost] = [await submit(1), await submit(300)];
    await farm.client.unlink(farm.keys.requestBits(spoilt), `${QUEUE}:${lost}.0`, `${QUEUE}:${lost}.1`);
    await farm.client.rpush(farm.keys.requestBits(spoilt), 'x');
    // Lies about how many texts a chunk has are not believed.
    await farm.client.set(farm.keys.requestStarts(lost), Buffer.from('00000000ffffffff00000001', 'hex'));
    const settled: number[] = [];
    const tending = tendRequests({
      redis: farm.client,
      keys: farm.keys,
      nowMs: () => Date.now(),
      silentMs: -1_000_000,
      settleLost: async ({ texts }) => void settled.push(texts.length),
    });
    await expect(tending).rejects.toMatchObject({
      errors: [expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') })],
    });
    expect(settled).toEqual([256, 1]);
  });

  it('is an error where it was a record or its parts', async () => {
    const id = await submit(300);
    await openWorker();
    await producer.requests.wait(id, {});
    await farm.client.set(farm.keys.requestStarts(id), 'xxxx');
    await expect(producer.requests.result(id, {}, {})).rejects.toMatchObject({ code: 'internal' });
    await farm.client.hset(farm.keys.request(id), 'chunks', '1e15');
    await expect(producer.requests.result(id, {}, {})).rejects.toMatchObject({ code: 'result_expired' });
    await farm.client.hset(farm.keys.request(id), 'chunks', 2, 'model', 'a:b');
    await expect(producer.requests.cancel(id)).rejects.toMatchObject({ code: 'result_expired' });
    await farm.client.unlink(farm.keys.result(encodeJobId(id, 0)));
    await farm.client.hset(farm.keys.request(id), 'model', 'fake');
    await expect(producer.requests.result(id, {}, {})).rejects.toMatchObject({ code: 'internal' });
  });

  it('is let go of where it was the id of a job, and no UTF-8', async () => {
    await farm.client.lpush(`${QUEUE}:wait`, Buffer.from([0xff, 0xfe, 0x2e, 0x30]));
    const id = await submit(1);
    await openWorker();
    await producer.requests.wait(id, {});
    await eventually(async () => (await farm.client.keys(`${QUEUE}:[^a-z]*`)).length === 0);
    expect(await farm.client.llen(`${QUEUE}:active`)).toBe(0);
  });

  it('takes nobody’s result away where it is a reply that names it', async () => {
    const id = await submit(2);
    await openWorker();
    await producer.requests.wait(id, {});
    const other = await farm.openProducer();
    const replies = farm.keys.reply(other.clientId);
    const forged = ['job', encodeJobId(id, 0), 'status', 'done'] as const;
    await farm.client.xadd(replies, '*', ...forged);
    await farm.client.xadd(replies, '*', ...forged, 'block', 'x');
    await eventually(async () => (await farm.client.xlen(replies)) === 0);
    const { block } = await producer.requests.result(id, {}, {});
    expect(Array.from(block.values)).toEqual(manyTexts(2).flatMap(fakeVector));
  });

  it('is made anew where it was a client’s replies', async () => {
    await farm.client.unlink(farm.keys.reply(producer.clientId));
    await farm.client.set(farm.keys.reply(producer.clientId), 'x');
    await openWorker();
    // The next heartbeat finds it.
    const encoded = await producer.encode(['a'], encodeRequest(), { timeoutMs: 20_000 });
    expect(Array.from(encoded.block.values)).toEqual(fakeVector('a'));
    expect(await farm.client.type(farm.keys.reply(producer.clientId))).toBe('stream');
  });
});
