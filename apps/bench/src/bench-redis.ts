import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer } from '@embedfarm/service/find-command';
import { installRedis } from '@embedfarm/service/install-redis';
import { startRedisServer, type RedisServer } from '@embedfarm/service/start-redis-server';

/** Runs with a Redis of the bench's own, in a folder that is gone afterwards. */
export async function withBenchRedis<Result>(
  say: (line: string) => void,
  run: (redis: RedisServer) => Promise<Result>,
): Promise<Result> {
  const dir = await mkdtemp(join(tmpdir(), 'embedfarm-bench-'));
  try {
    if ((await findRedisServer()) === undefined) await installRedis(say);
    const redis = await startRedisServer({ dir });
    try {
      return await run(redis);
    } finally {
      await redis.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
