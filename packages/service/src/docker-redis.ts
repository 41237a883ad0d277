import { FarmError } from '@embedfarm/contract';
import { setTimeout as delay } from 'node:timers/promises';
import { probeRedis } from './probe-redis.ts';
import { runCommand } from './run-command.ts';

const REDIS_IMAGE = 'redis:7-alpine';
const LOOK_TIMEOUT_MS = 5_000;
// The first run pulls the image.
const RUN_TIMEOUT_MS = 180_000;
const READY_TIMEOUT_MS = 30_000;

/** Whether a Docker engine answers. */
export async function isDockerRunning(): Promise<boolean> {
  const { exitCode } = await runCommand('docker', ['info'], { timeoutMs: LOOK_TIMEOUT_MS });
  return exitCode === 0;
}

/** A Redis in a container, removed by `close()`; its data stay in a volume of the same name. */
export interface DockerRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** @throws FarmError `redis_unavailable` when the container does not start or does not answer PING. */
export async function startDockerRedis(port: number): Promise<DockerRedis> {
  const name = `embedfarm-redis-${port}`;
  const inContainer = 'redis-server --appendonly yes --appendfsync everysec --maxmemory-policy noeviction';
  const outside = `--publish 127.0.0.1:${port}:6379 --volume ${name}:/data`;
  const args = `run --detach --rm --name ${name} ${outside} ${REDIS_IMAGE} ${inContainer}`.split(' ');
  const { exitCode, output } = await runCommand('docker', args, { timeoutMs: RUN_TIMEOUT_MS });
  if (exitCode !== 0) {
    throw new FarmError('redis_unavailable', `docker run ${REDIS_IMAGE} failed: ${output.trim()}`);
  }
  const url = `redis://127.0.0.1:${port}`;
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= stopContainer(name));
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    if ((await probeRedis(url)).state === 'ready') return { url, close };
    await delay(100);
  }
  await close();
  throw new FarmError('redis_unavailable', `the container ${name} gave no PONG in ${READY_TIMEOUT_MS} ms`);
}

async function stopContainer(name: string): Promise<void> {
  await runCommand('docker', ['stop', name], { timeoutMs: 20_000 });
}
