import { encodeRequestSchema } from '@embedfarm/contract';
import { openClusterRedis } from '@embedfarm/testkit/cluster-redis';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openSentinelRedis } from '@embedfarm/testkit/sentinel-redis';
import { afterEach, describe, expect, it } from 'vitest';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

checkOpenHandles();

/** Of a worker with one chunk each: three interactive ones, one bulk. */
const PULLERS = 4;

const request = (options: object = {}) => encodeRequestSchema.parse(options);
const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

const SUBMITTED = numbered('submitted', 600);

describe('when a master dies', () => {
  const open: { close: () => Promise<unknown> }[] = [];
  let encoder = new FakeEncoder();
  let producer: Producer;

  afterEach(async () => {
    encoder.release();
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
  });

  async function openFarm<Farm extends { url: string; close: () => Promise<void> }>(
    opening: Promise<Farm>,
  ): Promise<Farm> {
    const redis = await opening;
    open.push(redis);
    encoder = new FakeEncoder();
    const options = { redis: redis.url, interactiveConcurrency: 1, bulkConcurrency: 1 };
    open.push(await FarmWorker.open(fakeRegistration(), encoder, options));
    producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    return redis;
  }

  /** In eight jobs, half of them in either lane. */
  async function encodeEach(texts: readonly string[]): Promise<void> {
    const calls = texts.map(async (text, index) => {
      const dimensions = 1 + (index % 4);
      const lane = index % 8 < 4 ? 'bulk' : 'interactive';
      const { block } = await producer.encode([text], request({ dimensions, lane }), {});
      expect(Array.from(block.values)).toEqual(fakeVector(text).slice(0, dimensions));
    });
    await Promise.all(calls);
  }

  /** Fills all pullers, and holds them there for `meanwhile`. */
  async function encodeHeld(texts: readonly string[], meanwhile: () => Promise<void>): Promise<void> {
    const before = encoder.calls.length;
    encoder.hold();
    const calls = encodeEach(texts);
    await encoder.arrived(before + PULLERS);
    await meanwhile();
    encoder.release();
    await calls;
  }

  /** The vectors of a request that was submitted before. */
  async function outlive(death: () => Promise<void>): Promise<number[]> {
    await encodeEach(numbered('before', 8));
    const { requestId } = await producer.requests.submit(SUBMITTED, request(), {}, {});
    await encodeHeld(numbered('in flight', 64), death);
    const { block } = await producer.requests.result(requestId, {}, {});
    // Every puller still takes its share.
    await encodeHeld(numbered('after', 8), () => Promise.resolve());
    return Array.from(block.values, Number);
  }

  it('and sentinels make its replica the master, calls in flight finish, and all go on', async () => {
    const redis = await openFarm(openSentinelRedis());
    const vectors = await outlive(() => redis.killMaster());
    expect(vectors).toEqual(SUBMITTED.flatMap(fakeVector));
  });

  it('and its replica takes its slots of a Cluster, calls in flight finish, and all go on', async () => {
    const redis = await openFarm(openClusterRedis());
    const vectors = await outlive(() => redis.killOwner());
    expect(vectors).toEqual(SUBMITTED.flatMap(fakeVector));
  });

  it('and with it a whole Cluster that comes back, calls in flight finish, and all go on', async () => {
    const redis = await openFarm(openClusterRedis());
    const vectors = await outlive(async () => {
      await redis.killAll();
      await redis.restartAll();
    });
    expect(vectors).toEqual(SUBMITTED.flatMap(fakeVector));
  });

  it('and its replica never heard of some calls, those are enqueued again', async () => {
    const redis = await openFarm(openSentinelRedis());
    await encodeEach(numbered('before', 8));
    await redis.pauseReplica();
    const unheard = encodeHeld(numbered('unheard', 64), async () => {
      await redis.killMaster();
      redis.resumeReplica();
    });
    await expect(unheard).resolves.toBeUndefined();
  });

  it.each<[what: string, openRedis: () => Promise<Mortal>]>([
    ['sentinel', () => openSentinelRedis()],
    ['node of a Cluster', () => openClusterRedis()],
  ])('and every other %s with it, a producer still closes, and its calls end', async (_what, openRedis) => {
    const redis = await openRedis();
    open.push(redis);
    producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    await redis.killAll();
    const calls = ['here', 'there'].map((model) => producer.encode(['a'], request({ model }), {}));
    const ends = Promise.allSettled(calls);
    await producer.close();
    const cancelled = { reason: { code: 'cancelled' } };
    expect(await ends).toMatchObject([cancelled, cancelled]);
  });
});

interface Mortal {
  readonly url: string;
  killAll(): Promise<void>;
  close(): Promise<void>;
}
