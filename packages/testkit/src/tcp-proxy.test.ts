import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { openTestRedis, type TestRedis } from './redis.ts';
import { TcpProxy } from './tcp-proxy.ts';

describe('TcpProxy', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let client: Redis;

  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    proxy = await TcpProxy.open(redis.url);
    client = new Redis(proxy.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    await client.ping();
  });
  afterEach(async () => {
    client.disconnect();
    await proxy.close();
  });

  it.each(['refused', 'closed'] as const)(
    '%s: what stood is reset, and is back after restore',
    async (mode) => {
      await proxy.cut(mode);
      await eventually(() => client.status !== 'ready');
      const waiting = client.ping();
      await proxy.restore();
      expect(await waiting).toBe('PONG');
    },
  );

  it('silent: nothing is said and nothing is lost; what was held back passes after restore', async () => {
    await proxy.cut('silent');
    let isAnswered = false;
    const waiting = client.ping().then((answer) => {
      isAnswered = true;
      return answer;
    });
    const late = new Redis(proxy.url);
    const lateAnswer = late.ping();
    await eventually(() => proxy.connections === 2);
    // A round trip past the proxy: the answer would have been there.
    const direct = new Redis(redis.url);
    await direct.ping();
    expect([isAnswered, client.status]).toEqual([false, 'ready']);
    await proxy.restore();
    expect([await waiting, await lateAnswer]).toEqual(['PONG', 'PONG']);
    late.disconnect();
    direct.disconnect();
  });

  it('silent, then reset: the client has to connect anew', async () => {
    await proxy.cut('silent');
    const waiting = client.ping();
    const closed = new Promise((resolve) => client.once('close', resolve));
    await proxy.restore({ reset: true });
    await closed;
    expect(await waiting).toBe('PONG');
  });

  it('forget: what stood says nothing any more and is not told, new connections pass', async () => {
    proxy.forget();
    let isAnswered = false;
    void client.ping().then(
      () => (isAnswered = true),
      () => undefined,
    );
    const late = new Redis(proxy.url);
    expect(await late.ping()).toBe('PONG');
    expect([isAnswered, client.status]).toEqual([false, 'ready']);
    late.disconnect();
  });
});
