import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { findCommand, findRedisServer } from './find-command.ts';
import { freePort } from './free-port.ts';
import { probeRedis } from './probe-redis.ts';

// A port found free may be taken before Redis binds it.
const MAX_PORT_TRIES = 5;
// A Redis that is told to stop writes its append-only file first.
const STOP_GRACE_MS = 5_000;

export const redisServerOptionsSchema = z.strictObject({
  /** Folder of the append-only file; made when missing. */
  dir: z.string().min(1),

  /** Port of 127.0.0.1. Default: a free one. */
  port: z.int().min(1).max(65_535).optional(),

  /** When the append-only file is flushed to disk; `off` keeps nothing. */
  aof: z.enum(['always', 'everysec', 'off']).default('everysec'),

  /** The server's program. Default: `redis-server`, else `valkey-server`, of PATH. */
  command: z.string().min(1).optional(),

  /** Further settings by name, as in redis.conf; they win over the others. */
  settings: z.record(z.string(), z.string()).default({}),

  /** A file of a sentinel's settings, which it writes to as well: a sentinel is started. */
  sentinelConfig: z.string().min(1).optional(),

  /** How long Redis may take until it answers PING, in milliseconds; a large file takes long to load. */
  readyTimeoutMs: z.int().min(1).max(600_000).default(60_000),
});
export type RedisServerOptions = z.input<typeof redisServerOptionsSchema>;
type ResolvedRedisServerOptions = z.output<typeof redisServerOptionsSchema>;

/** A Redis of our own, which ends with this process. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when the process has ended, however it did. */
  readonly exited: Promise<void>;
  /** As a crash: SIGKILL. */
  kill(): Promise<void>;
  /** Stops it in good order; kills it after 5 s. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts redis-server or valkey-server on 127.0.0.1, `noeviction`, and waits until it answers PING.
 *
 * @throws FarmError `redis_unavailable` when none is installed, it does not start, or a port that was asked for is taken.
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  const resolved = parseOptions('redis server options', redisServerOptionsSchema, options);
  const command = resolved.command ?? (await findRedisServer());
  if (command === undefined) {
    throw new FarmError('redis_unavailable', 'no redis-server and no valkey-server in PATH');
  }
  await mkdir(resolved.dir, { recursive: true }).catch((cause: Error) => {
    throw new FarmError('redis_unavailable', `no folder for Redis: ${cause.message}`, { cause });
  });
  for (let tries = 1; ; tries += 1) {
    const port = resolved.port ?? (await freePort());
    const server = await tryStart(command, port, resolved);
    if (!('fault' in server)) return server;
    if (resolved.port !== undefined || !server.portTaken || tries === MAX_PORT_TRIES) {
      throw new FarmError('redis_unavailable', `${command} on port ${port}: ${server.fault}`);
    }
  }
}

interface FailedStart {
  readonly fault: string;
  readonly portTaken: boolean;
}

async function tryStart(
  command: string,
  port: number,
  { dir, aof, settings, sentinelConfig, readyTimeoutMs }: ResolvedRedisServerOptions,
): Promise<RedisServer | FailedStart> {
  const first = sentinelConfig === undefined ? [] : [sentinelConfig, '--sentinel'];
  const child = await spawnServer(command, first, {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    daemonize: 'no',
    save: '',
    'maxmemory-policy': 'noeviction',
    appendonly: aof === 'off' ? 'no' : 'yes',
    appendfsync: aof === 'always' ? 'always' : 'everysec',
    ...settings,
  });
  let output = '';
  const keep = (bytes: Buffer) => (output = (output + bytes.toString('utf8')).slice(-4_000));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);

  const url = `redis://127.0.0.1:${port}`;
  const server = ownServer(child, url, port);
  const deadlineMs = performance.now() + readyTimeoutMs;
  while (performance.now() < deadlineMs) {
    if (hasExited(child)) {
      return { fault: lastLines(output), portTaken: /Address already in use/i.test(output) };
    }
    const probe = await probeRedis(url);
    // Another Redis may have won the port, so the process id is compared.
    if (probe.state === 'ready' && probe.processId === child.pid) return server;
    await delay(20);
  }
  await server.kill();
  return { fault: `no answer to PING after ${readyTimeoutMs} ms. ${lastLines(output)}`, portTaken: false };
}

/** In its own process group, so that Ctrl-C reaches us alone and we stop Redis last. */
async function spawnServer(
  command: string,
  first: readonly string[],
  config: Record<string, string>,
): Promise<ChildProcess> {
  const args = [...first, ...Object.entries(config).flatMap(([name, value]) => [`--${name}`, value])];
  // The kernel ends it when this process dies, where it can (Linux).
  const setpriv = process.platform === 'linux' ? await findCommand('setpriv') : undefined;
  const [file, ...before] = setpriv === undefined ? [command] : [setpriv, '--pdeathsig', 'TERM', command];
  return spawn(file as string, [...before, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

function ownServer(child: ChildProcess, url: string, port: number): RedisServer {
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const stopWithUs = () => child.kill('SIGTERM');
  process.once('exit', stopWithUs);
  void exited.then(() => process.off('exit', stopWithUs));

  let closing: Promise<void> | undefined;
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (!hasExited(child)) child.kill(signal);
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await exited;
    clearTimeout(forced);
  };
  return {
    url,
    port,
    pid: child.pid ?? 0,
    exited,
    kill: () => end('SIGKILL'),
    close: () => (closing ??= end('SIGTERM')),
  };
}

function hasExited(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-3).join(' | ') || 'it said nothing';
}
