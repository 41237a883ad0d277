import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { isDockerRunning } from '@embedfarm/service/docker-redis';
import { findRedisServer } from '@embedfarm/service/find-command';
import { installRedis } from '@embedfarm/service/install-redis';
import { startRedisServer } from '@embedfarm/service/start-redis-server';
import { openContainerRedis } from './container-redis.ts';

/** A real Redis for one test file: `noeviction`, append-only, on a port of its own. */
export interface TestRedis {
  readonly url: string;
  /** As a crash (SIGKILL), then up again on the same port with the same data. Also brings back a killed one. */
  restart(): Promise<void>;
  /** As a crash. Its data stay for `restart()`. */
  kill(): Promise<void>;
  /** Ends it and drops its data. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * In a container where Docker runs, else a private redis-server, installed when missing.
 * EMBEDFARM_TEST_REDIS=`server` or `docker` decides instead.
 *
 * @throws FarmError `redis_unavailable` when there is no way to one.
 */
export async function openTestRedis(): Promise<TestRedis> {
  return (await wantsContainer()) ? openContainerRedis() : openServerRedis();
}

async function wantsContainer(): Promise<boolean> {
  const wish = process.env['EMBEDFARM_TEST_REDIS'];
  if (wish === 'server') return false;
  if (wish === 'docker') return true;
  // The socket is looked at first: a client without an engine takes its time to say so.
  const mayRun = process.env['DOCKER_HOST'] !== undefined || existsSync('/var/run/docker.sock');
  return mayRun && (await isDockerRunning());
}

async function openServerRedis(): Promise<TestRedis> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  if ((await findRedisServer()) === undefined && !(await installRedis(print))) {
    throw new FarmError(
      'redis_unavailable',
      'tests need redis-server, valkey-server or Docker; none is here',
    );
  }
  const dir = await mkdtemp(join(tmpdir(), 'embedfarm-test-redis-'));
  let server = await startRedisServer({ dir });
  const { url, port } = server;
  let closing: Promise<void> | undefined;
  return {
    url,
    async restart() {
      await server.kill();
      server = await startRedisServer({ dir, port });
    },
    kill: () => server.kill(),
    close: () => (closing ??= server.kill().then(() => rm(dir, { recursive: true, force: true }))),
  };
}
