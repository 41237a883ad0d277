import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { TcpProxy } from '@embedfarm/testkit/tcp-proxy';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectRedis, disconnectRedis } from './connect.ts';
import type { FarmRedis } from './farm-redis.ts';

const LOOK_MS = 2_500;

describe('a connection of a client', () => {
  let server: TestRedis;
  let proxy: TcpProxy;
  let redis: FarmRedis;
  let ends: { count: number };

  beforeAll(async () => {
    server = await openTestRedis();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    // Looks come when the test says so; all else takes the time that it takes.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    proxy = await TcpProxy.open(server.url);
    redis = connectRedis(proxy.url, 'few');
    const own = { count: 0 };
    ends = own;
    await redis.ping();
    redis.on('close', () => (own.count += 1));
  });
  afterEach(async () => {
    disconnectRedis(redis);
    await proxy.close();
    vi.useRealTimers();
  });

  const look = (times: number) => vi.advanceTimersByTime(times * LOOK_MS);

  it('is made anew when its server owes an answer for five looks, and the command is answered', async () => {
    look(1);
    await proxy.cut('silent');
    const waiting = redis.ping();
    look(5);
    await eventually(() => ends.count === 1);
    await proxy.restore();
    expect(await waiting).toBe('PONG');
  });

  it('stays while its server owes nothing', async () => {
    await proxy.cut('silent');
    look(20);
    await proxy.restore();
    expect(await redis.ping()).toBe('PONG');
    expect(ends.count).toBe(0);
  });

  it('stays while answers come, however long each takes below that', async () => {
    const other = connectRedis(server.url);
    for (let read = 0; read < 4; read += 1) {
      const waiting = redis.blpop('list', 0);
      look(4);
      await other.lpush('list', `${read}`);
      expect(await waiting).toEqual(['list', `${read}`]);
    }
    expect(ends.count).toBe(0);
    disconnectRedis(other);
  });

  it('is watched again after a reconnect, and no timer is left at the end', async () => {
    const isReady = new Promise((resolve) => redis.once('ready', resolve));
    await proxy.cut('refused');
    await eventually(() => ends.count >= 1);
    await proxy.restore();
    await isReady;
    expect(vi.getTimerCount()).toBe(1);
    disconnectRedis(redis);
    await eventually(() => vi.getTimerCount() === 0);
  });
});
