import { encodeRequestSchema, FarmError } from '@embedfarm/contract';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Producer } from './producer/producer.ts';
import { kill, printed, runWithClock, startWorkerProcess } from './worker-process.fixture.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const request = (options: object = {}) => encodeRequestSchema.parse(options);
const FIVE_MINUTES_MS = 300_000;
/** Far below the five minutes, so that a wait for them is a failure. */
const DEADLINE = { timeoutMs: 20_000 };

/** A client of the farm in a process of its own. */
const CLIENT = `
  const { Producer } = await import(${JSON.stringify(new URL('../dist/producer/producer.js', import.meta.url).href)});
  const { redis, options, deadline } = JSON.parse(process.argv[1]);
  const producer = await Producer.open({ redis });
  const called = await producer.encode(['called'], options, deadline);
  const { requestId: id } = await producer.requests.submit(['submitted'], options, {}, deadline);
  const submitted = await producer.requests.result(id, {}, deadline);
  await producer.close();
  console.log(JSON.stringify([called, submitted].map(({ block }) => Array.from(block.values))) + ' at ' + Date.now());`;

describe('a host whose clock is wrong', () => {
  let redis: TestRedis;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
  });
  afterEach(async () => {
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
    await redis.close();
  });

  async function openProducer(): Promise<Producer> {
    const producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    return producer;
  }

  describe.each([
    ['5 minutes ahead', FIVE_MINUTES_MS],
    ['5 minutes behind', -FIVE_MINUTES_MS],
  ])('by %s', (_, clockAheadMs) => {
    it.each(['interactive', 'bulk'] as const)('gives back a chunk of the %s lane at once', async (lane) => {
      const child = startWorkerProcess({ redis: redis.url, clockAheadMs, failsAndCloses: true });
      const end = once(child, 'exit');
      expect(clockOf(await printed(child, 'ready'))).toBeCloseTo(Date.now() + clockAheadMs, -5);
      const producer = await openProducer();
      const called = producer.encode(['called'], request({ lane }), DEADLINE);
      const { requestId: id } = await producer.requests.submit(['submitted'], request({ lane }), {}, {});
      await end;
      const encoder = new FakeEncoder();
      open.push(await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url }));
      expect(Array.from((await called).block.values)).toEqual(fakeVector('called'));
      const submitted = await producer.requests.result(id, {}, DEADLINE);
      expect(Array.from(submitted.block.values)).toEqual(fakeVector('submitted'));
      expect(submitted.timing.queueMs).toBeLessThan(FIVE_MINUTES_MS);
    });

    it('serves calls and requests', async () => {
      const child = startWorkerProcess({ redis: redis.url, clockAheadMs, company: 2 });
      await printed(child, 'ready');
      const producer = await openProducer();
      const called = producer.encode(['called'], request({ lane: 'bulk' }), DEADLINE);
      // Neither ends before both are in the engine.
      const { requestId: id } = await producer.requests.submit(['submitted'], request(), {}, {});
      expect(Array.from((await called).block.values)).toEqual(fakeVector('called'));
      const { block } = await producer.requests.result(id, {}, DEADLINE);
      expect(Array.from(block.values)).toEqual(fakeVector('submitted'));
      await kill(child);
    });

    it('calls and submits, and a chunk that fails is tried again', async () => {
      const encoder = new FakeEncoder();
      open.push(await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url }));
      encoder.failNext(new FarmError('device_lost', 'the thread died'));
      encoder.failNext(new FarmError('device_lost', 'the thread died again'));
      const argument = { redis: redis.url, options: request(), deadline: DEADLINE };
      const output = await printed(runWithClock(CLIENT, argument, clockAheadMs), 'at');
      expect(clockOf(output)).toBeCloseTo(Date.now() + clockAheadMs, -5);
      expect(output).toContain(JSON.stringify([fakeVector('called'), fakeVector('submitted')]));
      expect(encoder.calls).toHaveLength(4);
    });
  });

  it('has no part in a retry: the worker waits, and tries three times', async () => {
    const encoder = new FakeEncoder();
    open.push(await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url }));
    const producer = await openProducer();
    for (let time = 1; time <= 3; time += 1) encoder.failNext(new FarmError('device_lost', `time ${time}`));
    const client = new Redis(redis.url);
    const moves = client.duplicate();
    const delayed: string[] = [];
    const monitor = await moves.monitor();
    monitor.on('monitor', (_time: string, args: string[]) => {
      if (/zadd/i.test(args[0] ?? '') && args[1]?.endsWith(':delayed') === true) delayed.push(args[1]);
    });
    await expect(producer.encode(['never'], request(), {})).rejects.toMatchObject({
      code: 'device_lost',
      message: '[device_lost] time 3',
    });
    expect(encoder.calls).toHaveLength(3);
    expect(delayed).toEqual([]);
    monitor.disconnect();
    moves.disconnect();
    client.disconnect();
  });

  it('is not waited for by a worker that closes: its failed chunk goes to another at once', async () => {
    const first = new FakeEncoder();
    const leaving = await FarmWorker.open(fakeRegistration(), first, { redis: redis.url });
    const producer = await openProducer();
    first.hold();
    const call = producer.encode(['handed on'], request(), {});
    await first.arrived(1);
    first.failNext(new FarmError('device_lost', 'the thread died'));
    const closing = leaving.close();
    first.release();
    await closing;
    const second = new FakeEncoder();
    open.push(await FarmWorker.open(fakeRegistration(), second, { redis: redis.url }));
    expect(Array.from((await call).block.values)).toEqual(fakeVector('handed on'));
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });
});

/** The last number that a process printed: its own time. */
function clockOf(output: string): number {
  return Number(output.trim().split(' ').at(-1));
}
