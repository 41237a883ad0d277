import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { ADD_TO_MINUTE_LUA } from './add-to-minute-lua.ts';
import { SAMPLE_TTL_MS } from './failure-sample.ts';
import { MINUTE_TTL_S } from './minute-fields.ts';
import type { WorkerSums } from './worker-sums.ts';

/** Texts of clients are read for the current minute and the one before it. */
const CLIENTS_TTL_S = 2 * 3_600;
/** Clients of a minute that are kept: those with the most texts. */
const MAX_CLIENTS = 1_000;

/**
 * One step for all of it. Without memory it does nothing (a script that says that it is one, and not allow-oom, is
 * refused then), so that nothing is told by half.
 *
 * KEYS stats minute prefix, stats clients prefix, failure samples; ARGV minute TTL, clients TTL, clients kept,
 * samples' TTL; then three lists, each behind the number of its arguments: fields and counts, clients and texts,
 * fields of samples and samples.
 */
const writeScript = new RedisScript(`#!lua
${ADD_TO_MINUTE_LUA}
local at, minute = addToMinute(KEYS[1], ARGV[1], 5)
local last = at + tonumber(ARGV[at])
if last > at then
  local clients = KEYS[2] .. minute
  for i = at + 1, last, 2 do redis.pcall('ZINCRBY', clients, ARGV[i + 1], ARGV[i]) end
  redis.pcall('ZREMRANGEBYRANK', clients, 0, -1 - tonumber(ARGV[3]))
  redis.pcall('EXPIRE', clients, ARGV[2])
end
at = last + 1
last = at + tonumber(ARGV[at])
if last > at then
  for i = at + 1, last, 2 do redis.pcall('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
  redis.pcall('EXPIRE', KEYS[3], ARGV[4])
end
return 1`);

/** Adds what a worker has done to the minute that Redis' clock says. */
export async function writeSums(redis: FarmRedis, keys: RedisKeys, sums: WorkerSums): Promise<void> {
  const minute = sums.minute.toArguments();
  const clients = [...sums.clients].flat();
  const samples = [...sums.samples].flatMap(([field, sample]) => [field, JSON.stringify(sample)]);
  await writeScript.run(
    redis,
    [keys.statsMinutePrefix, keys.statsClientsPrefix, keys.failureSamples],
    [
      MINUTE_TTL_S,
      CLIENTS_TTL_S,
      MAX_CLIENTS,
      // A sample is shown for an hour, and there is only one of its kind.
      SAMPLE_TTL_MS / 1_000,
      ...[minute, clients, samples].flatMap((list) => [list.length, ...list]),
    ],
  );
}
