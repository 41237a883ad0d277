import { nameSchema } from '@embedfarm/contract';
import { z } from 'zod';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import type { ChunkShare } from './fair-share.ts';

const optionsSchema = z.object({
  share: z.object({ tenant: nameSchema, cost: z.number().positive() }),
});

/**
 * BullMQ says of a job that is gone that it was removed: two who cancel at once would each give its share back.
 * KEYS jobs. Returns the options of each; false for one that has run to its end, is claimed, or is not there.
 */
const claimScript = new RedisScript(`#!lua flags=allow-oom
local options = {}
for i, job in ipairs(KEYS) do
  local held = redis.call('HMGET', job, 'opts', 'finishedOn')
  options[i] = false
  if held[1] and not held[2] and redis.call('HSETNX', job, 'shareClaimed', 1) == 1 then options[i] = held[1] end
end
return options`);

/**
 * The shares that jobs hold by their options, for who takes the jobs away: each is given once. Undefined for one that
 * has run to its end, is claimed by another, or is not there.
 */
export async function claimShares(
  redis: FarmRedis,
  jobKeys: readonly string[],
): Promise<(ChunkShare | undefined)[]> {
  const options = (await claimScript.run(redis, jobKeys, [])) as (string | null)[];
  return options.map((text) => (text === null ? undefined : parseShare(text)));
}

/** Those of jobs that stay: who takes them away later gives them back. */
export async function leaveShares(redis: FarmRedis, jobKeys: readonly string[]): Promise<void> {
  const leaving = redis.pipeline();
  for (const jobKey of jobKeys) leaving.hdel(jobKey, 'shareClaimed');
  await leaving.exec();
}

function parseShare(options: string): ChunkShare | undefined {
  try {
    return optionsSchema.safeParse(JSON.parse(options)).data?.share;
  } catch {
    return undefined;
  }
}
