import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { findRedisServer } from './find-command.ts';
import { freePort } from './free-port.ts';
import { installRedis } from './install-redis.ts';
import { openLocalRedis } from './local-redis.ts';
import { probeRedis } from './probe-redis.ts';
import { startRedisServer, type RedisServer } from './start-redis-server.ts';

let dir = '';
let running: RedisServer;
beforeAll(async () => {
  if ((await findRedisServer()) === undefined) await installRedis(console.log);
  dir = await mkdtemp(join(tmpdir(), 'embedfarm-local-redis-'));
  running = await startRedisServer({ dir: join(dir, 'running'), aof: 'off' });
}, 300_000);
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await running.close();
  await rm(dir, { recursive: true, force: true });
});

/** Opens one, and gives the lines that a person reads. */
async function open(options: Parameters<typeof openLocalRedis>[0]) {
  const lines: string[] = [];
  const redis = await openLocalRedis({
    dir: join(dir, 'own'),
    ...options,
    print: (line) => lines.push(line),
  });
  return { redis, text: lines.join('\n') };
}

describe('openLocalRedis', () => {
  it('takes the URL given', async () => {
    const { redis } = await open({ url: running.url });
    expect(redis).toMatchObject({ url: running.url, startedBy: 'given' });
    await redis.close();
    expect((await probeRedis(running.url)).state).toBe('ready');
  });

  it('takes the one that answers, and leaves it running', async () => {
    const { redis, text } = await open({ port: running.port });
    expect(redis).toMatchObject({ url: running.url, startedBy: 'running' });
    expect(text).toBe('');
    await redis.close();
    expect((await probeRedis(running.url)).state).toBe('ready');
  });

  it('starts one on the port wished for where nothing answers, and stops it on close', async () => {
    const port = await freePort();
    const { redis } = await open({ port });
    expect(redis).toMatchObject({ url: `redis://127.0.0.1:${port}`, startedBy: 'started' });
    const client = new Redis(redis.url);
    expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'everysec']);
    client.disconnect();
    await redis.close();
    expect((await probeRedis(redis.url)).state).toBe('absent');
  });

  it('starts one on another port where something else holds it', async () => {
    const port = await freePort();
    const holder = createServer((socket) => socket.resume().end('no redis\r\n'));
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
    const { redis } = await open({ port });
    expect(redis.startedBy).toBe('started');
    expect(redis.url).not.toBe(`redis://127.0.0.1:${port}`);
    await redis.close();
    await new Promise((resolve) => holder.close(resolve));
  });

  it('says why it does not use a Redis that asks for a password', async () => {
    const locked = await startRedisServer({ dir: join(dir, 'locked'), aof: 'off' });
    const client = new Redis(locked.url);
    await client.config('SET', 'requirepass', 'secret');
    client.disconnect();
    const { redis, text } = await open({ port: locked.port });
    expect(redis.startedBy).toBe('started');
    expect(text).toContain('NOAUTH');
    await redis.close();
    await locked.close();
  });

  it('warns of a Redis that may drop jobs', async () => {
    const client = new Redis(running.url);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { text } = await open({ url: running.url });
    expect(text).toContain('maxmemory-policy allkeys-lru');
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    client.disconnect();
  });

  it('asks Docker where no server is in PATH, and removes the container on close', async () => {
    const bin = join(dir, 'bin');
    const log = join(dir, 'docker.log');
    await mkdir(bin);
    const port = await freePort();
    // Stands for the engine: `run` makes the port answer, as the container would.
    await writeFile(
      join(bin, 'docker'),
      `#!/bin/sh
echo "$@" >> ${log}
if [ "$1" = run ]; then
  ${await findRedisServer()} --port ${port} --bind 127.0.0.1 --daemonize yes --save '' --dir ${dir} \\
    --pidfile ${dir}/fake.pid > /dev/null
fi
if [ "$1" = stop ]; then kill $(cat ${dir}/fake.pid); fi
`,
    );
    await chmod(join(bin, 'docker'), 0o755);
    const catCommand = join(bin, 'cat');
    await writeFile(catCommand, '#!/bin/sh\nread line < "$1"; echo "$line"\n');
    await chmod(catCommand, 0o755);
    vi.stubEnv('PATH', bin);
    const { redis } = await open({ port });
    expect(redis).toMatchObject({ url: `redis://127.0.0.1:${port}`, startedBy: 'docker' });
    await redis.close();
    await expect.poll(async () => (await probeRedis(redis.url)).state).toBe('absent');
  });

  it('says what to do where there is no way to a Redis', async () => {
    vi.stubEnv('PATH', join(dir, 'nothing'));
    await expect(open({ port: await freePort() })).rejects.toMatchObject({
      code: 'redis_unavailable',
      message: expect.stringContaining('--redis or REDIS_URL'),
    });
  });
});
