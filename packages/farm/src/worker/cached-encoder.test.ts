import { FarmError, redisKeys, type EncodeOptions, type Lane, type VectorBlock } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cacheHasher } from '../cache/cache-key.ts';
import { LEASE_MARK } from '../cache/cache-lease.ts';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { CachedEncoder } from './cached-encoder.ts';

checkOpenHandles();

const OPTIONS: EncodeOptions = { dtype: 'float32', truncate: 'end' };
const keys = redisKeys();
const hashOf = cacheHasher(fakeRegistration(), OPTIONS);
const keyOf = (text: string): string => keys.cache(hashOf(text));

describe('CachedEncoder', () => {
  let server: TestRedis;
  let redis: FarmRedis;
  let faults: unknown[];
  const first = new FakeEncoder();
  const second = new FakeEncoder();

  beforeAll(async () => {
    server = await openTestRedis();
    redis = connectRedis(server.url);
  });
  afterAll(async () => {
    disconnectRedis(redis);
    await server.close();
  });
  beforeEach(() => {
    faults = [];
    first.calls.length = 0;
    second.calls.length = 0;
  });
  afterEach(async () => {
    first.release();
    second.release();
    const left = await leases();
    await redis.flushall();
    expect(left).toEqual([]);
    expect(faults).toEqual([]);
  });

  function encode(
    encoder: FakeEncoder,
    texts: readonly string[],
    call: { lane?: Lane; signal?: AbortSignal; lockDurationMs?: number; connection?: FarmRedis } = {},
  ): Promise<VectorBlock> {
    const cached = new CachedEncoder({
      redis: call.connection ?? redis,
      keys,
      registration: fakeRegistration(),
      encoder,
      lockDurationMs: call.lockDurationMs ?? 30_000,
      onFault: (_, fault) => faults.push(fault),
    });
    const { lane = 'interactive', signal = new AbortController().signal } = call;
    return cached.encode(texts, OPTIONS, { lane, signal, cacheTtlMs: 60_000 });
  }

  async function leases(): Promise<string[]> {
    const names = await redis.keys(keys.cache('*'));
    const values = names.length === 0 ? [] : await redis.mget(...names);
    return values.flatMap((value) => (value?.startsWith(LEASE_MARK) === true ? [value] : []));
  }

  /** Until the second has looked at a text that the first holds: it asks again and again. */
  async function untilWaiting(): Promise<void> {
    const looks = async (): Promise<number> => {
      const stats = await redis.info('commandstats');
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const before = await looks();
    await eventually(async () => (await looks()) >= before + 3, { what: 'looks at what another holds' });
  }

  it('has a text encoded once that two chunks want at the same time', async () => {
    first.hold();
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    const one = encode(first, texts);
    await first.arrived(1);
    const other = encode(second, texts.toReversed());
    await untilWaiting();
    first.release();
    expect(rowsOf(await one)).toEqual(texts.map(fakeVector));
    expect(rowsOf(await other)).toEqual(texts.toReversed().map(fakeVector));
    expect([first.calls.length, second.calls.length]).toEqual([1, 0]);
  });

  it('encodes its own texts before it waits, so that two chunks never wait for each other', async () => {
    first.hold();
    const one = encode(first, ['a', 'b', 'c']);
    await first.arrived(1);
    const other = encode(second, ['x', 'c', 'y', 'b']);
    // All leases but those of the first are settled, and it still waits.
    await second.arrived(1);
    await eventually(async () => (await redis.keys(keys.cache('*'))).length === 5);
    await eventually(async () => (await leases()).length === 3);
    expect(second.calls.map(({ texts }) => texts)).toEqual([['x', 'y']]);
    first.release();
    expect(rowsOf(await one)).toEqual(['a', 'b', 'c'].map(fakeVector));
    expect(rowsOf(await other)).toEqual(['x', 'c', 'y', 'b'].map(fakeVector));
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });

  it('ends crossing chunks of every order, each text encoded once', async () => {
    const texts = Array.from({ length: 60 }, (_, index) => `text ${index}`);
    const encoders = Array.from({ length: 12 }, () => new FakeEncoder());
    const blocks = await Promise.all(
      encoders.map((encoder, index) => encode(encoder, rotate(texts, index * 5).slice(0, 40))),
    );
    for (const [index, block] of blocks.entries()) {
      expect(rowsOf(block)).toEqual(
        rotate(texts, index * 5)
          .slice(0, 40)
          .map(fakeVector),
      );
    }
    const encoded = encoders.flatMap(({ calls }) => calls.flatMap((call) => call.texts));
    expect(encoded).toHaveLength(texts.length);
    expect(new Set(encoded)).toEqual(new Set(texts));
  });

  it('encodes what its owner was told to leave', async () => {
    first.hold();
    const abort = new AbortController();
    const one = encode(first, ['a'], { signal: abort.signal }).catch((thrown: unknown) => thrown);
    await first.arrived(1);
    const other = encode(second, ['a', 'b']);
    await second.arrived(1);
    abort.abort();
    expect(await one).toMatchObject({ code: 'cancelled' });
    // Long before the lease of 30 s would have run out.
    expect(rowsOf(await other)).toEqual(['a', 'b'].map(fakeVector));
    expect(second.calls.map(({ texts }) => texts)).toEqual([['b'], ['a']]);
  });

  it('encodes what its owner failed at, as a whole or in a text', async () => {
    first.hold();
    first.failNext(new FarmError('device_lost', 'told to fail'));
    const one = encode(first, ['a', 'bad text']).catch((thrown: unknown) => thrown);
    await first.arrived(1);
    const other = encode(second, ['a', 'bad text']);
    await untilWaiting();
    first.release();
    expect(await one).toMatchObject({ code: 'device_lost' });
    const block = await other;
    expect(block.failures).toMatchObject([{ code: 'internal', texts: [1] }]);
    expect(await redis.exists(keyOf('a'), keyOf('bad text'))).toBe(1);
    expect(second.calls.map(({ texts }) => texts)).toEqual([['a', 'bad text']]);
  });

  it('encodes what a dead owner left, once its lease has run out', async () => {
    await redis.set(keyOf('a'), `${LEASE_MARK}interactive:dead`, 'PX', 500);
    expect(rowsOf(await encode(second, ['a']))).toEqual([fakeVector('a')]);
    expect(second.calls).toHaveLength(1);
  });

  it('leaves a text to an owner that lives, however long it takes', async () => {
    first.hold();
    const one = encode(first, ['a'], { lockDurationMs: 600 });
    await first.arrived(1);
    const other = encode(second, ['a'], { lockDurationMs: 600 });
    // Four renewals, each a third of a lease after the one before: longer than a lease lives.
    for (let renewals = 0; renewals < 4; renewals += 1) {
      let leftMs = await redis.pttl(keyOf('a'));
      await eventually(async () => {
        const beforeMs = leftMs;
        leftMs = await redis.pttl(keyOf('a'));
        return leftMs > beforeMs;
      });
    }
    first.release();
    await Promise.all([one, other]);
    expect([first.calls.length, second.calls.length]).toEqual([1, 0]);
  });

  it('takes an interactive text over from a bulk chunk, and not the other way round', async () => {
    first.hold();
    const bulk = encode(first, ['a'], { lane: 'bulk' });
    await first.arrived(1);
    expect(rowsOf(await encode(second, ['a']))).toEqual([fakeVector('a')]);
    second.hold();
    const interactive = encode(second, ['b']);
    await second.arrived(2);
    const waiting = encode(first, ['b'], { lane: 'bulk' });
    await untilWaiting();
    first.release();
    second.release();
    for (const block of await Promise.all([interactive, waiting])) {
      expect(rowsOf(block)).toEqual([fakeVector('b')]);
    }
    await bulk;
    expect([first.calls.length, second.calls.length]).toEqual([1, 2]);
  });

  it('stops waiting when it is aborted', async () => {
    first.hold();
    const one = encode(first, ['a']);
    await first.arrived(1);
    const abort = new AbortController();
    const other = encode(second, ['a'], { signal: abort.signal }).catch((thrown: unknown) => thrown);
    await untilWaiting();
    abort.abort();
    expect(await other).toMatchObject({ code: 'cancelled' });
    first.release();
    await one;
    expect(second.calls).toEqual([]);
  });

  it('delivers vectors while Redis has no memory, and while it cannot be asked at all', async () => {
    await redis.config('SET', 'maxmemory', '1mb');
    try {
      for (let round = 0; round < 2; round += 1) {
        expect(rowsOf(await encode(first, ['a', 'b']))).toEqual(['a', 'b'].map(fakeVector));
      }
      expect(first.calls).toHaveLength(2);
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    const connection = connectRedis(server.url);
    disconnectRedis(connection);
    expect(rowsOf(await encode(second, ['a'], { connection }))).toEqual([fakeVector('a')]);
    // It tells of both, of the claim and of what it would have stored.
    await eventually(() => faults.length === 2);
    faults = [];
  });
});

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  return [...items.slice(by), ...items.slice(0, by)];
}

function rowsOf(block: VectorBlock): number[][] {
  const values = Array.from(block.values);
  return Array.from({ length: values.length / block.dimensions }, (_, row) =>
    values.slice(row * block.dimensions, (row + 1) * block.dimensions),
  );
}
