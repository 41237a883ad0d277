import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FarmError, parseRedisAddress } from '@embedfarm/contract';
import { isDockerRunning, startDockerRedis } from './docker-redis.ts';
import { findRedisServer } from './find-command.ts';
import { DEFAULT_REDIS_PORT, freePort } from './free-port.ts';
import { installRedis } from './install-redis.ts';
import { probeRedis, type RedisProbe } from './probe-redis.ts';
import { startRedisServer } from './start-redis-server.ts';

const LOADING_TIMEOUT_MS = 60_000;

export interface LocalRedisOptions {
  /** A Redis that the person named; nothing else is tried then. */
  readonly url?: string | undefined;
  /** Folder of the append-only file of a Redis started here. Default: `.embedfarm/redis`. */
  readonly dir?: string;
  /** Where a Redis is looked for, and started. Default: 6379. */
  readonly port?: number;
  /** Gets the lines a person should read. Default: stdout. */
  readonly print?: (line: string) => void;
}

/**
 * - `given`: the person named it.
 * - `running`: it answered on its port.
 * - `started`: a child of this process; ends on close.
 * - `docker`: a container; removed on close.
 */
export type RedisOrigin = 'given' | 'running' | 'started' | 'docker';

export interface LocalRedis {
  readonly url: string;
  readonly startedBy: RedisOrigin;
  /** Stops what was started here. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * A Redis for a person who wants to begin: the one named, else the one that answers, else redis-server from
 * PATH, else Docker, else one installed now.
 *
 * @throws FarmError `redis_unavailable` with what to do.
 */
export async function openLocalRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const print = options.print ?? ((line: string) => process.stdout.write(`${line}\n`));
  const redis = await findOrStart(options, print);
  // Of several servers each worker warns by itself.
  if (parseRedisAddress(redis.url).kind !== 'single') return redis;
  const { evictionPolicy } = await probeRedis(redis.url);
  if (evictionPolicy !== undefined && evictionPolicy !== 'noeviction') {
    print(
      `Warning: this Redis has maxmemory-policy ${evictionPolicy}, so it may drop jobs when memory is short. ` +
        'Set noeviction.',
    );
  }
  return redis;
}

async function findOrStart(options: LocalRedisOptions, print: (line: string) => void): Promise<LocalRedis> {
  if (options.url !== undefined) return notOurs(options.url, 'given');
  const wishedPort = options.port ?? DEFAULT_REDIS_PORT;
  const wishedUrl = `redis://127.0.0.1:${wishedPort}`;
  const probe = await probeLoaded(wishedUrl);
  if (probe.state === 'ready') return notOurs(wishedUrl, 'running');
  if (probe.state === 'refused') {
    print(
      `The Redis on 127.0.0.1:${wishedPort} says: ${probe.reason}. To use it, give its URL with --redis; ` +
        'now one of our own is started.',
    );
  }
  const port = await freePort(wishedPort);
  const dir = resolve(options.dir ?? '.embedfarm/redis');
  if ((await findRedisServer()) !== undefined) return startOwn(dir, port, wishedPort);
  if (await isDockerRunning()) {
    print('Starting Redis in Docker …');
    return { ...(await startDockerRedis(port)), startedBy: 'docker' };
  }
  if (await installRedis(print)) return startOwn(dir, port, wishedPort);
  throw new FarmError(
    'redis_unavailable',
    `no Redis answers on 127.0.0.1:${wishedPort}, there is no redis-server or valkey-server in PATH, and no Docker. ` +
      'Install redis-server (7.0 or later), or give the URL of a Redis with --redis or REDIS_URL.',
  );
}

/** A Redis that has just begun may still read its file: that is waited for. */
async function probeLoaded(url: string): Promise<RedisProbe> {
  const deadlineMs = performance.now() + LOADING_TIMEOUT_MS;
  for (;;) {
    const probe = await probeRedis(url);
    const isLoading = probe.state === 'refused' && probe.reason?.includes('LOADING') === true;
    if (!isLoading || performance.now() > deadlineMs) return probe;
    await delay(200);
  }
}

async function startOwn(dir: string, port: number, wishedPort: number): Promise<LocalRedis> {
  // Two servers must not write one append-only file, so each port has its folder.
  const own = port === wishedPort ? dir : `${dir}-${port}`;
  const server = await startRedisServer({ dir: own, port, aof: 'everysec' });
  return { url: server.url, startedBy: 'started', close: () => server.close() };
}

function notOurs(url: string, startedBy: RedisOrigin): LocalRedis {
  return { url, startedBy, close: () => Promise.resolve() };
}
