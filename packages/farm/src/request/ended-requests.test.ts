import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import { FarmWorker, type RequestEnd } from '../worker/farm-worker.ts';
import { EndedRequests } from './ended-requests.ts';

let farm: TestFarm;
let told: RequestEnd[];
let faults: unknown[];
let ended: EndedRequests;

beforeAll(async () => {
  farm = await TestFarm.open();
});
beforeEach(async () => {
  await farm.client.flushall();
  told = [];
  faults = [];
  ended = endedBy((ends) => told.push(...ends));
});
afterEach(() => farm.rest());
afterAll(() => farm.close());

function endedBy(onRequestsEnd: (ends: readonly RequestEnd[]) => void): EndedRequests {
  return new EndedRequests(farm.client, farm.keys, { onRequestsEnd }, (_, fault) => faults.push(fault));
}

it('are told once, with their totals, by whichever worker asks first', async () => {
  await farm.openWorker();
  const producer = await farm.openProducer();
  const texts = [...manyTexts(600), 'bad text'];
  const id = await submitted(producer, texts, encodeRequest(), { label: 'import\n"1"' }, {});
  // Its results are gone before anybody looks.
  await producer.requests.wait(id, {});
  await producer.requests.result(id, { consume: true }, {});
  const record = await producer.requests.read(id);
  expect(record.state).toBe('expired');
  const others: RequestEnd[] = [];
  await Promise.all([ended.look(), endedBy((ends) => others.push(...ends)).look()]);
  await ended.look();
  expect([...told, ...others]).toEqual([
    {
      requestId: id,
      label: 'import\n"1"',
      model: 'fake',
      lane: 'bulk',
      state: 'completed',
      chunks: 3,
      texts: 601,
      done: 600,
      failed: 1,
      tokens: record.tokens,
      waitMs: expect.any(Number),
      totalMs: expect.any(Number),
    },
  ]);
  expect(told.concat(others)[0]?.totalMs).toBeGreaterThanOrEqual(told.concat(others)[0]?.waitMs ?? -1);
});

it('are told however they end: taken back, given up by their producer, empty', async () => {
  const encoder = new FakeEncoder();
  encoder.hold();
  await farm.openWorker(encoder);
  const producer = await farm.openProducer();
  const cancelled = await submitted(producer, manyTexts(2_000), encodeRequest(), {}, {});
  await encoder.arrived(1);
  await producer.requests.cancel(cancelled);
  function* source() {
    yield* manyTexts(300);
    throw new Error('text 7 is told of here');
  }
  const { requestId, filled } = await producer.requests.submit(source(), encodeRequest(), {}, {});
  await expect(filled).rejects.toThrow('text 7');
  encoder.release();
  await producer.requests.wait(requestId, {});
  await producer.requests.wait(cancelled, {});
  const empty = await submitted(producer, new Set<string>(), encodeRequest(), {}, {});
  await ended.look();
  const states = Object.fromEntries(told.map((end) => [end.requestId, end.state]));
  expect(states).toEqual({ [cancelled]: 'cancelled', [requestId]: 'incomplete', [empty]: 'completed' });
  expect(told.find((end) => end.requestId === empty)).toMatchObject({ texts: 0, waitMs: undefined });
  expect(JSON.stringify(told)).not.toContain('text 7');
});

it('wait for a worker that asks, no longer than an hour and no more than 10,000', async () => {
  const worker = await farm.openWorker();
  const producer = await farm.openProducer();
  await farm.client.rpush(
    farm.keys.endedRequests,
    ...Array.from({ length: 10_000 }, (_, n) => `0-old-${n} failed`),
  );
  const id = await submitted(producer, ['a'], encodeRequest(), {}, {});
  await producer.requests.wait(id, {});
  // Nobody has told this one what to do with them.
  await worker.close();
  expect(await farm.client.llen(farm.keys.endedRequests)).toBe(10_000);
  expect(await farm.client.lindex(farm.keys.endedRequests, -1)).toBe(`${id} completed`);
  const ttlMs = await farm.client.pttl(farm.keys.endedRequests);
  expect(ttlMs).toBeGreaterThan(3_500_000);
  expect(ttlMs).toBeLessThanOrEqual(3_600_000);
});

it('are told by a worker within a second or two, and the last ones when it closes', async () => {
  const options = { redis: farm.redis.url };
  const worker = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), options, {
    onRequestsEnd: (ends) => told.push(...ends),
  });
  const producer = await farm.openProducer();
  const first = await submitted(producer, ['a'], encodeRequest(), {}, {});
  await eventually(() => told.length === 1);
  const last = await submitted(producer, ['b'], encodeRequest(), {}, {});
  await producer.requests.wait(last, {});
  await worker.close();
  expect(told.map(({ requestId }) => requestId)).toEqual([first, last]);
});

it('are passed over where junk was put among them, and a request ends all the same', async () => {
  await farm.openWorker();
  const producer = await farm.openProducer();
  await farm.client.set(farm.keys.endedRequests, 'junk');
  const unheard = await submitted(producer, ['a'], encodeRequest(), {}, {});
  expect(await producer.requests.wait(unheard, {})).toMatchObject({ state: 'completed' });
  await ended.look();
  await farm.client.rpush(
    farm.keys.endedRequests,
    '',
    'x',
    `${unheard} nonsense`,
    '../../../x completed',
    '0-gone-1 failed',
  );
  const id = await submitted(producer, ['b'], encodeRequest(), {}, {});
  await producer.requests.wait(id, {});
  await ended.look();
  expect(told.map(({ requestId }) => requestId)).toEqual([id]);
  expect(faults).toEqual([]);
});
