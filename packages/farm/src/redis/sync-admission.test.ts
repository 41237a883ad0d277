import { redisKeys } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reserve } from '../producer/reserve.ts';
import { askLease, readAdmission } from './admission.ts';
import { setFarmLimits } from './farm-limits.ts';
import { RELEASE_CHUNK_LUA } from './lease-lua.ts';
import { announceClient, removeClient } from './presence.ts';
import { RedisScript } from './redis-script.ts';
import { buryRequest } from '../request/cancel-request.ts';
import { openRequest } from '../request/fill-request.ts';
import { syncAdmission } from './sync-admission.ts';

const keys = redisKeys();
const now = { whenOverloaded: 'reject', timeoutMs: 5_000 } as const;

/** As finishChunk does it: the counts first, then the lease. */
const finishScript = new RedisScript(`
${RELEASE_CHUNK_LUA}
redis.call('HINCRBY', KEYS[2], 'textsDone', ARGV[2])
releaseChunk(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]))
return 1`);
const followScript = new RedisScript(`${RELEASE_CHUNK_LUA}
if ARGV[2] ~= '' then redis.call('HSET', KEYS[2], 'state', ARGV[2]) end
followRecord(KEYS[1], KEYS[2], ARGV[1])
return 1`);
const consumeScript = new RedisScript(`${RELEASE_CHUNK_LUA}
releaseResults(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))
return 1`);

describe('the leases of a farm', () => {
  let server: TestRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await openTestRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.close();
  });
  afterEach(async () => {
    await redis.flushall();
  });

  async function openWith(requestId: string, texts: number, bytes: number): Promise<void> {
    await openRequest(redis, keys, {
      requestId,
      clientId: 'client',
      tenant: undefined,
      model: 'fake',
      fingerprint: 'fake-1',
      lane: 'bulk',
      label: undefined,
      webhook: undefined,
      options: { dtype: 'float32', truncate: 'end' },
      size: { texts, chunks: 2 },
      resultTtlMs: 60_000,
    });
    await reserve(redis, keys, requestId, { texts, bytes }, now);
  }

  const finish = (id: string, texts: number, reservedBytes: number, resultBytes: number) =>
    finishScript.run(redis, [keys.admission, keys.request(id)], [id, texts, reservedBytes, resultBytes]);
  const follow = (id: string, state = '') =>
    followScript.run(redis, [keys.admission, keys.request(id)], [id, state]);
  const sums = async () => {
    const { texts, bytes } = await readAdmission(redis, keys);
    return { texts, bytes };
  };

  it('follow a request: reserved, settled chunk by chunk, its results held until they are read', async () => {
    await openWith('0-a-1', 300, 30_000);
    await reserve(redis, keys, '0-a-1', { texts: 200, bytes: 20_000 }, now);
    expect(await sums()).toEqual({ texts: 500, bytes: 50_000 });
    await finish('0-a-1', 300, 30_000, 12_000);
    expect(await sums()).toEqual({ texts: 200, bytes: 32_000 });
    await finish('0-a-1', 200, 20_000, 9_000);
    await follow('0-a-1', 'completed');
    expect(await sums()).toEqual({ texts: 0, bytes: 21_000 });
    await consumeScript.run(redis, [keys.admission, keys.request('0-a-1')], ['0-a-1', 12_000]);
    expect(await sums()).toEqual({ texts: 0, bytes: 9_000 });
    await redis.del(keys.request('0-a-1'));
    await syncAdmission(redis, keys);
    expect(await sums()).toEqual({ texts: 0, bytes: 0 });
    expect(await redis.hkeys(keys.admission)).toEqual(expect.not.arrayContaining(['r:0-a-1']));
  });

  it('of a request that was cancelled hold what is stored of it, and no more', async () => {
    await openWith('0-a-1', 500, 50_000);
    await finish('0-a-1', 100, 10_000, 4_000);
    await buryRequest(redis, keys, '0-a-1');
    await syncAdmission(redis, keys);
    expect(await sums()).toEqual({ texts: 0, bytes: 4_000 });
    await expect(reserve(redis, keys, '0-a-1', { texts: 1, bytes: 1 }, now)).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(reserve(redis, keys, '0-a-2', { texts: 1, bytes: 1 }, now)).rejects.toMatchObject({
      code: 'result_expired',
    });
  });

  it('are refused to a request as to a client, at once or when it has waited', async () => {
    await setFarmLimits(redis, keys, { texts: 1_000 });
    await openWith('0-a-1', 900, 90_000);
    const more = { texts: 200, bytes: 100 };
    await expect(reserve(redis, keys, '0-a-1', more, now)).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: 60_000,
    });
    const impatient = { whenOverloaded: 'wait', timeoutMs: 300 } as const;
    await expect(reserve(redis, keys, '0-a-1', more, impatient)).rejects.toMatchObject({
      code: 'overloaded',
    });
    const abort = new AbortController();
    const wait = { whenOverloaded: 'wait', timeoutMs: 30_000, signal: abort.signal } as const;
    const aborted = reserve(redis, keys, '0-a-1', more, wait);
    const patient = reserve(redis, keys, '0-a-1', more, { ...wait, signal: undefined });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'cancelled' });
    await finish('0-a-1', 500, 50_000, 1_000);
    await patient;
    expect(await sums()).toEqual({ texts: 600, bytes: 41_100 });
    await expect(reserve(redis, keys, '0-a-1', { texts: 1_001, bytes: 0 }, impatient)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it('of clients that are gone go, those of clients that live stay', async () => {
    for (const id of ['dead', 'alive', 'left']) {
      await announceClient(redis, keys, id);
      await askLease(redis, keys, id, { texts: 5_000, bytes: 1 }, { mustHold: true });
    }
    await removeClient(redis, keys, 'left');
    await redis.zadd(keys.clients, Date.now() - 60_000, 'dead');
    await syncAdmission(redis, keys);
    expect((await sums()).texts).toBe(10_000);
    expect((await redis.hkeys(keys.admission)).filter((field) => field.includes(':'))).toEqual(['c:alive']);
  });

  it('are right again after they were set wrong by hand', async () => {
    await announceClient(redis, keys, 'alive');
    await askLease(redis, keys, 'alive', { texts: 5_000, bytes: 1_000 }, { mustHold: true });
    await openWith('0-a-1', 300, 30_000);
    const right = await sums();
    const faults: Record<string, string>[] = [
      { texts: '-7', bytes: '99999999' },
      { texts: 'many', bytes: '1.5', pass: 'x' },
      { 'r:0-a-1': '1 2 3' },
      { 'r:0-a-1': 'nonsense', 'c:nobody': '5 5 1', 'r:0-a-9': '7 7 0' },
      { nextTexts: '12', nextBytes: '5', 'c:': '' },
    ];
    for (const fault of faults) {
      await redis.hset(keys.admission, fault);
      await syncAdmission(redis, keys);
      expect(await sums()).toEqual(right);
    }
    // What the client tells comes with its next heartbeat.
    await redis.del(keys.admission);
    await syncAdmission(redis, keys);
    expect(await sums()).toEqual({ texts: 300, bytes: 30_000 });
  });

  it('add up to the text while others change them in the middle of a pass', async () => {
    const clients = Array.from({ length: 3_000 }, (_, index) => `client-${index}`);
    await redis.zadd(keys.clients, ...clients.flatMap((id) => [Date.now(), id]));
    const held = new Map<string, number>();
    const tell = async (id: string, texts: number): Promise<void> => {
      held.set(id, texts);
      await askLease(redis, keys, id, { texts, bytes: texts }, { mustHold: true });
    };
    // No slab to spare, so that the sums can be known.
    await redis.hset(keys.limits, 'maxTexts', 1, 'maxBytes', 1);
    await Promise.all(clients.map((id, index) => tell(id, 1 + (index % 50))));
    await redis.hset(keys.admission, 'texts', 5, 'bytes', 5);
    const passes = [syncAdmission(redis, keys), syncAdmission(redis, keys)];
    const changes = clients.map((id, index) => tell(id, (index * 7) % 90));
    passes.push(syncAdmission(redis, keys));
    await Promise.all([...passes, ...changes]);
    await Promise.all([syncAdmission(redis, keys), ...clients.map((id, index) => tell(id, index % 40))]);
    const sum = [...held.values()].reduce((total, texts) => total + texts, 0);
    expect(await sums()).toEqual({ texts: sum, bytes: sum });
    expect(await redis.hexists(keys.admission, 'nextTexts')).toBe(0);
  });

  it('are looked after once in 15 s for the whole farm, and also without memory', async () => {
    await redis.hset(keys.admission, 'texts', 5, 'bytes', 5);
    await syncAdmission(redis, keys, { ifDue: true });
    expect(await sums()).toEqual({ texts: 0, bytes: 0 });
    await redis.hset(keys.admission, 'texts', 5);
    await syncAdmission(redis, keys, { ifDue: true });
    expect(await sums()).toEqual({ texts: 5, bytes: 0 });
    expect(await redis.pttl(keys.admissionSync)).toBeGreaterThan(0);
    await redis.config('SET', 'maxmemory', '1');
    await syncAdmission(redis, keys);
    expect(await sums()).toEqual({ texts: 0, bytes: 0 });
    await askLease(redis, keys, 'client', { texts: 3, bytes: 3 }, { mustHold: true });
    expect(await sums()).toEqual({ texts: 3, bytes: 3 });
    await redis.config('SET', 'maxmemory', '0');
  });
});
