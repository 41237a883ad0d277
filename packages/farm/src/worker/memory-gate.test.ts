import { encodeRequestSchema } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { setTimeout as rest } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Producer } from '../producer/producer.ts';
import { FarmWorker } from './farm-worker.ts';

const request = encodeRequestSchema.parse({});
const LOOK_MS = 2_000;

describe('a worker whose Redis has no memory left', () => {
  let redis: TestRedis;
  let client: Redis;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
  });
  afterEach(async () => {
    for (const one of open.splice(0).toReversed()) await one.close();
    client.disconnect();
    await redis.close();
  });

  it('says so a few times, keeps what it has encoded, and goes on when there is memory', async () => {
    const faults: string[] = [];
    const encoder = new FakeEncoder();
    encoder.hold();
    const worker = await FarmWorker.open(
      fakeRegistration(),
      encoder,
      { redis: redis.url, interactiveConcurrency: 4 },
      { onFault: (what, fault) => faults.push(`${what}: ${String(fault)}`) },
    );
    open.push(worker);
    const producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    // More chunks than it may hold: some are encoded and cannot be stored, the others wait in the queue.
    const calls: ReturnType<Producer['encode']>[] = [];
    const jobs = async (): Promise<number> => {
      const lists = ['wait', 'active'].map((list) => client.llen(`{embedfarm}:fake-interactive:${list}`));
      return (await Promise.all(lists)).reduce((total, length) => total + length);
    };
    for (let call = 1; call <= 32; call += 1) {
      calls.push(producer.encode([`text ${call}`], request, {}));
      await eventually(async () => (await jobs()) === call);
    }
    await encoder.arrived(12);
    await client.config('SET', 'maxmemory', '1');
    encoder.release();
    await eventually(() => faults.length > 0);
    faults.length = 0;
    await rest(LOOK_MS);
    expect(faults.length).toBeLessThan((20 * LOOK_MS) / 1_000);
    await client.config('SET', 'maxmemory', '0');
    const encoded = await Promise.all(calls);
    expect(encoded.map(({ block }) => block.tokens.length)).toEqual(calls.map(() => 1));
  });

  it('that has nothing to do does not spin either, and takes the first job after', async () => {
    const faults: string[] = [];
    const worker = await FarmWorker.open(
      fakeRegistration(),
      new FakeEncoder(),
      { redis: redis.url },
      { onFault: (what, fault) => faults.push(`${what}: ${String(fault)}`) },
    );
    open.push(worker);
    const producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    await client.config('SET', 'maxmemory', '1');
    await expect(producer.encode(['now'], request, {})).rejects.toMatchObject({ code: 'overloaded' });
    await rest(LOOK_MS);
    expect(faults.length).toBeLessThan((20 * LOOK_MS) / 1_000);
    await client.config('SET', 'maxmemory', '0');
    const { block } = await producer.encode(['then'], request, { whenOverloaded: 'wait' });
    expect(block.tokens).toHaveLength(1);
  });
});
