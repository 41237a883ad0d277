import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRedisServer } from './find-command.ts';
import { freePort } from './free-port.ts';
import { installRedis } from './install-redis.ts';
import { probeRedis } from './probe-redis.ts';
import { startRedisServer } from './start-redis-server.ts';

let dir = '';
beforeAll(async () => {
  if ((await findRedisServer()) === undefined) await installRedis(console.log);
  dir = await mkdtemp(join(tmpdir(), 'embedfarm-service-'));
}, 300_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('startRedisServer', () => {
  it('answers with noeviction on a free port, and is gone after close', async () => {
    const server = await startRedisServer({ dir: join(dir, 'plain') });
    expect(server.port).not.toBe(6379);
    expect(await probeRedis(server.url)).toEqual({
      state: 'ready',
      processId: server.pid,
      evictionPolicy: 'noeviction',
    });
    await Promise.all([server.close(), server.close()]);
    expect((await probeRedis(server.url)).state).toBe('absent');
  });

  it('has its data again after a kill, on the same port', async () => {
    const first = await startRedisServer({ dir: join(dir, 'crash'), aof: 'always' });
    const redis = new Redis(first.url, { retryStrategy: () => 20 });
    redis.on('error', () => undefined);
    await redis.set('kept', 'yes');
    await first.kill();
    await first.exited;
    const second = await startRedisServer({ dir: join(dir, 'crash'), port: first.port });
    expect(second.url).toBe(first.url);
    expect(await redis.get('kept')).toBe('yes');
    redis.disconnect();
    await second.close();
  });

  it('says so when the port asked for is taken', async () => {
    // Reads, so that it sees the other side leave.
    const holder = createServer((socket) => socket.resume());
    const port = await freePort();
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
    await expect(startRedisServer({ dir: join(dir, 'taken'), port })).rejects.toMatchObject({
      code: 'redis_unavailable',
      message: expect.stringContaining(String(port)),
    });
    await new Promise((resolve) => holder.close(resolve));
  });

  it('does not take another Redis on its port for its own', async () => {
    const other = await startRedisServer({ dir: join(dir, 'other') });
    await expect(startRedisServer({ dir: join(dir, 'late'), port: other.port })).rejects.toMatchObject({
      code: 'redis_unavailable',
    });
    await other.close();
  });

  it('names a folder that cannot be made', async () => {
    await expect(startRedisServer({ dir: '/dev/null/redis' })).rejects.toMatchObject({
      code: 'redis_unavailable',
      detail: expect.stringContaining('/dev/null/redis') as string,
    });
  });

  it('names a wrong option', async () => {
    await expect(startRedisServer({ dir, aof: 'sometimes' } as never)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it.runIf(process.platform === 'linux')('ends with a parent that is killed', async () => {
    const starter = new URL('../dist/start-redis-server.js', import.meta.url).href;
    const script = `
      const { startRedisServer } = await import(${JSON.stringify(starter)});
      const server = await startRedisServer({ dir: ${JSON.stringify(join(dir, 'orphan'))} });
      console.log(server.url);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const url = line.toString().trim();
    expect((await probeRedis(url)).state).toBe('ready');
    parent.kill('SIGKILL');
    await expect.poll(async () => (await probeRedis(url)).state, { timeout: 10_000 }).toBe('absent');
  });
});
