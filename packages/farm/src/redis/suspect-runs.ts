import type { RedisKeys } from '@embedfarm/contract';
import { randomUUID } from 'node:crypto';
import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';

/** Longer than a chunk is retried for; it is taken away when the chunk is settled. */
const SUSPECT_TTL_MS = 24 * 3_600_000;

/** KEYS suspect; ARGV run id, range, TTL. */
const beginScript = new RedisScript(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

/**
 * Marks of a suspect's runs: each is written before its run and taken away after it, however that ended,
 * unless the process died. So a mark that a later run finds is a death. (Or a worker that was silent for
 * longer than its lock: when it is back it takes its own mark away, and nothing was counted.)
 */
export class SuspectRuns {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;

  constructor(redis: FarmRedis, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Ranges of texts that were running when their process died, one for each death. */
  async deaths(jobId: string): Promise<{ from: number; to: number }[]> {
    const marks = await this.#redis.hvals(this.#keys.suspect(jobId));
    return marks.flatMap((mark) => {
      const [, from, to] = /^(\d{1,9})-(\d{1,9})$/.exec(mark) ?? [];
      return from === undefined || to === undefined ? [] : [{ from: Number(from), to: Number(to) }];
    });
  }

  /** @returns the run's id. */
  async begin(jobId: string, { from, to }: { from: number; to: number }): Promise<string> {
    const runId = randomUUID();
    await beginScript.run(this.#redis, [this.#keys.suspect(jobId)], [runId, `${from}-${to}`, SUSPECT_TTL_MS]);
    return runId;
  }

  async end(jobId: string, runId: string): Promise<void> {
    await this.#redis.hdel(this.#keys.suspect(jobId), runId);
  }

  /** The chunk is settled: nobody runs it again. */
  async forget(jobId: string): Promise<void> {
    await this.#redis.unlink(this.#keys.suspect(jobId));
  }
}
