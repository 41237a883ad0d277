import { nameSchema } from '@embedfarm/contract';
import { z } from 'zod';
import type { FarmRedis } from '../redis/farm-redis.ts';
import type { ChunkShare } from './fair-share.ts';

const optionsSchema = z.object({
  share: z.object({ tenant: nameSchema, cost: z.number().positive() }),
});

/** The shares that jobs hold by their options; undefined for one that has run to its end, or is not there. */
export async function readShares(
  redis: FarmRedis,
  jobKeys: readonly string[],
): Promise<(ChunkShare | undefined)[]> {
  const lookup = redis.pipeline();
  for (const jobKey of jobKeys) lookup.hmget(jobKey, 'opts', 'finishedOn');
  const answers = (await lookup.exec()) ?? [];
  return answers.map(([, answer]) => {
    const [options, finishedOn] = (answer ?? []) as (string | null)[];
    return typeof options === 'string' && finishedOn === null ? parseShare(options) : undefined;
  });
}

function parseShare(options: string): ChunkShare | undefined {
  try {
    return optionsSchema.safeParse(JSON.parse(options)).data?.share;
  } catch {
    return undefined;
  }
}
