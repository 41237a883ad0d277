import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOpenHandles } from './open-handles.ts';
import { keysWithoutTtl } from './redis-leaks.ts';
import { openTestRedis, type TestRedis } from './redis.ts';

checkOpenHandles();

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await openTestRedis();
  redis = new Redis(server.url, { retryStrategy: () => 50 });
  redis.on('error', () => undefined);
}, 300_000);
afterAll(async () => {
  redis.disconnect();
  await server.close();
  await server.close();
});

describe('openTestRedis', () => {
  it('never stands on the default port', () => {
    expect(new URL(server.url).port).not.toBe('6379');
    expect(new URL(server.url).port).not.toBe('');
  });

  it('keeps what was written through a crash', async () => {
    await redis.set('kept', '1');
    await server.restart();
    expect(await redis.get('kept')).toBe('1');
  });

  it('comes back after a kill', async () => {
    await server.kill();
    await server.restart();
    expect(await redis.get('kept')).toBe('1');
    await redis.del('kept');
  });
});

describe('keysWithoutTtl', () => {
  it('names the keys that would stay for ever, and only those', async () => {
    await redis.set('{embedfarm}:result:a.0', 'x', 'PX', 60_000);
    await redis.set('{embedfarm}:result:b.0', 'x');
    await redis.zadd('{embedfarm}:clients', 1, 'c');
    await redis.hset('{embedfarm}:tiny-bulk:meta', 'version', '1');
    await redis.set('mine', 'x');
    expect(await keysWithoutTtl(server.url, [/^mine$/])).toEqual(['{embedfarm}:result:b.0']);
  });
});
