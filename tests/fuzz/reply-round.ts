import { redisKeys } from '@embedfarm/contract';
import { EmbeddingFarm } from '@embedfarm/sdk';
import type { Redis } from 'ioredis';
import { MODEL } from './fuzz-worker.ts';
import type { RoundPorts } from './job-round.ts';
import { judge } from './judge.ts';
import { junkBlock, junkBytes, spoilKey } from './junk.ts';
import type { SeededRandom } from './seeded-random.ts';
import { encodeVictim } from './victim-calls.ts';

const keys = redisKeys();

/** A client's replies are forged, written over and taken away while it waits for them. */
export async function replyRound(
  { url, redis, tally }: RoundPorts,
  name: string,
  count: number,
  random: SeededRandom,
): Promise<void> {
  const farm = await EmbeddingFarm.connect({ redis: url });
  const ends: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const call = encodeVictim('replies', farm, MODEL, `${name}-${index}`, random);
    call.damages.push('its client was harmed');
    ends.push(judge(call, tally));
    const damage = await spoilReplies(redis, farm.clientId, random);
    call.damages.push(damage);
  }
  await Promise.all(ends);
  await farm.close();
}

async function spoilReplies(redis: Redis, clientId: string, random: SeededRandom): Promise<string> {
  const key = keys.reply(clientId);
  const luck = random.next();
  if (luck < 0.03) return await spoilKey(redis, key, random);
  if (luck < 0.1) {
    await redis.xtrim(key, 'MAXLEN', 0).catch(() => undefined);
    return 'trimmed';
  }
  if (luck < 0.13) {
    // Further ids of the stream are behind what its client has seen, or ahead of all that can come.
    const id = random.pick(['18446744073709551615-1', '0-1', '99999999999999-0']);
    await redis.xadd(key, 'NOMKSTREAM', id, 'job', 'x', 'status', 'done').catch(() => undefined);
    return `an entry ${id}`;
  }
  const pending = await redis.lrange(`${keys.jobPrefix(MODEL, 'interactive')}active`, 0, -1);
  const job = random.chance(0.7) && pending.length > 0 ? random.pick(pending) : junkBytes(random);
  const status = random.pick(['done', 'failed', 'cancelled', junkBytes(random)]);
  const fields = random.pick([
    ['job', job, 'status', status, 'block', junkBytes(random)],
    ['job', job, 'status', status, 'block', Buffer.from(junkBlock(random, 3))],
    ['job', job, 'status', status],
    ['job', job],
    [junkBytes(random), junkBytes(random)],
    ['status', status, 'block', '', 'job', '', 'job', job],
  ]);
  await redis.xadd(key, 'NOMKSTREAM', '*', ...fields).catch(() => undefined);
  return `a forged entry of ${String(job).slice(0, 60)}`;
}
