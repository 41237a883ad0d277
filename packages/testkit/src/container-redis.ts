import { freePort } from '@embedfarm/service/free-port';
import { probeRedis } from '@embedfarm/service/probe-redis';
import { eventually } from './eventually.ts';
import type { TestRedis } from './redis.ts';

const REDIS_IMAGE = 'redis:7-alpine';
const REDIS_PORT = 6379;

/** A Redis in a container, on a fixed port of the host, so that a restart keeps its address. */
export async function openContainerRedis(): Promise<TestRedis> {
  // Testcontainers loads a Docker client and ssh; only who needs it pays for that.
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers');
  const port = await freePort();
  const started = await new GenericContainer(REDIS_IMAGE)
    .withExposedPorts({ container: REDIS_PORT, host: port })
    .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction', '--save', ''])
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  const url = `redis://${started.getHost()}:${port}`;
  const container = (await getContainerRuntimeClient()).container.getById(started.getId());
  const kill = async () => {
    const { State } = await container.inspect();
    if (State.Running) await container.kill();
  };
  let closing: Promise<void> | undefined;
  return {
    url,
    kill,
    async restart() {
      await kill();
      await container.start();
      await eventually(async () => (await probeRedis(url)).state === 'ready', { what: `PING to ${url}` });
    },
    close: () => (closing ??= started.stop().then(() => undefined)),
  };
}
