import { redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Load } from '../queue/chunk-load.ts';
import { askLease, readAdmission, SLAB } from '../redis/admission.ts';
import { setFarmLimits } from '../redis/farm-limits.ts';
import { ClientLease, type RoomSeeker } from './client-lease.ts';
import { enqueueFault } from './enqueue.ts';

const keys = redisKeys();
const load = (texts: number): Load => ({ texts, bytes: texts * 100 });

describe('the lease of a client', () => {
  let server: TestRedis;
  let redis: Redis;
  let asked: Load[];
  const leases: ClientLease[] = [];

  beforeAll(async () => {
    server = await openTestRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.close();
  });
  beforeEach(() => {
    asked = [];
  });
  afterEach(async () => {
    for (const lease of leases.splice(0)) lease.close();
    await redis.flushall();
  });

  async function openLease(clientId = 'one'): Promise<ClientLease> {
    const lease = new ClientLease({
      ask: (use, options) => {
        asked.push(use);
        return askLease(redis, keys, clientId, use, options);
      },
      isReady: () => true,
      faultOf: enqueueFault,
    });
    leases.push(lease);
    await lease.renew();
    return lease;
  }

  function seek(lease: ClientLease, texts: number, whenOverloaded: 'reject' | 'wait' = 'reject') {
    let seeker: RoomSeeker | undefined;
    const promise = new Promise<void>((admit, refuse) => {
      seeker = { load: load(texts), whenOverloaded: () => whenOverloaded, admit, refuse };
      lease.seek(seeker);
    });
    return { promise, leave: () => seeker && lease.leave(seeker) };
  }

  it('asks for nothing as long as what is in flight fits its slab', async () => {
    const lease = await openLease();
    let taken = 0;
    for (let call = 0; call < 10_000; call += 1) {
      for (let text = 0; text < 100; text += 1) if (lease.tryTake(load(1))) taken += 1;
      for (let text = 0; text < 100; text += 1) lease.give(load(1));
    }
    expect(taken).toBe(1_000_000);
    expect(asked).toHaveLength(1);
    expect(await readAdmission(redis, keys)).toMatchObject({ texts: SLAB.texts, bytes: SLAB.bytes });
  });

  it('asks once for all that come in with one turn, and for twice as much as it uses', async () => {
    const lease = await openLease();
    expect(lease.tryTake(load(5_000))).toBe(false);
    await Promise.all([1, 2, 3, 4].map(() => seek(lease, 5_000).promise));
    expect(asked.slice(1)).toEqual([load(20_000)]);
    expect(await readAdmission(redis, keys)).toMatchObject({ texts: 40_000 });
    expect(lease.tryTake(load(20_000))).toBe(true);
  });

  it('shrinks with the heartbeat to what is in flight and the slab', async () => {
    const lease = await openLease();
    await seek(lease, 5_000).promise;
    lease.give(load(3_000));
    // The question that let it in is over with this turn; a heartbeat leaves one under way alone.
    await turn();
    await lease.renew();
    expect(await readAdmission(redis, keys)).toMatchObject({ texts: 4_000 });
    lease.give(load(2_000));
    await lease.renew();
    expect(await readAdmission(redis, keys)).toMatchObject({ texts: SLAB.texts, bytes: SLAB.bytes });
  });

  it('keeps next to nothing to spare where room is scarce, and gives back before the heartbeat', async () => {
    await setFarmLimits(redis, keys, { texts: 2_048 });
    const lease = await openLease();
    await seek(lease, 1_000).promise;
    expect(await readAdmission(redis, keys)).toMatchObject({ texts: 1_001 });
    lease.give(load(1_000));
    await eventually(async () => (await readAdmission(redis, keys)).texts === 2);
  });

  it('lets in those before a seeker that has no room, and none after it', async () => {
    await setFarmLimits(redis, keys, { texts: 1_000 });
    const lease = await openLease();
    const first = seek(lease, 400);
    const large = seek(lease, 700, 'wait');
    const small = seek(lease, 10);
    await first.promise;
    await expect(small.promise).rejects.toMatchObject({ code: 'overloaded' });
    // Its turn comes with what the first gives back, without asking.
    lease.give(load(400));
    await large.promise;
    expect(await readAdmission(redis, keys)).toMatchObject({ texts: 700 });
  });

  it('does not hold up others with a seeker that has left', async () => {
    await setFarmLimits(redis, keys, { texts: 1_000 });
    const lease = await openLease();
    await seek(lease, 900).promise;
    const large = seek(lease, 700, 'wait');
    const waiting = seek(lease, 50, 'wait');
    await expect(seek(lease, 50).promise).rejects.toMatchObject({ code: 'overloaded' });
    large.leave();
    await waiting.promise;
    expect(lease.used).toEqual(load(950));
  });

  it('takes nothing unasked once a heartbeat has told that memory is short', async () => {
    const lease = await openLease();
    expect(lease.tryTake(load(1))).toBe(true);
    // An empty Redis takes about 1 MB.
    await redis.config('SET', 'maxmemory', `${50 * 1024 * 1024}`);
    await redis.hset(keys.limits, 'memoryShare', '0.01');
    await lease.renew();
    expect(lease.tryTake(load(1))).toBe(false);
    await expect(seek(lease, 1).promise).rejects.toMatchObject({ code: 'overloaded' });
    const waiting = seek(lease, 1, 'wait');
    await redis.del(keys.limits);
    await waiting.promise;
    expect(lease.tryTake(load(1))).toBe(true);
  });

  it('tells those in line when asking fails', async () => {
    const lease = await openLease();
    await redis.set(keys.admission, 'not a hash');
    await expect(seek(lease, 5_000).promise).rejects.toMatchObject({ code: 'redis_unavailable' });
    await redis.del(keys.admission);
    await seek(lease, 5_000).promise;
  });
});
