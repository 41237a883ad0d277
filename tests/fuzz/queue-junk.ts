import { LANES, queueName, redisKeys } from '@embedfarm/contract';
import { Queue } from 'bullmq';
import { MODEL, VICTIM } from './fuzz-worker.ts';
import type { RoundPorts } from './job-round.ts';
import { hostileString } from './hostile-strings.ts';
import { judge } from './judge.ts';
import { junkBytes } from './junk.ts';
import type { SeededRandom } from './seeded-random.ts';

const keys = redisKeys();
const OPTS = [
  {},
  { attempts: 100 },
  { priority: 2_097_151 },
  { lifo: true },
  { removeOnFail: false },
  { removeOnComplete: false },
  { backoff: { type: 'exponential', delay: 1 } },
  { timestamp: 1 },
  { sizeLimit: 10_000_000 },
];

/** Jobs that nobody of the farm has made, in the queues of victims and strangers. */
export async function queueJunk(
  { redis, tally }: RoundPorts,
  name: string,
  count: number,
  random: SeededRandom,
): Promise<void> {
  const queues = [MODEL, VICTIM].flatMap((model) =>
    LANES.map((lane) => new Queue(queueName(model, lane), { connection: redis, prefix: keys.prefix })),
  );
  for (const queue of queues) queue.on('error', () => undefined);
  for (let index = 0; index < count; index += 1) {
    const queue = random.pick(queues);
    const id = idOf(`${name}-${index}`, random);
    const data = random.chance(0.5) ? hostileString(random) : junkBytes(random).toString('latin1');
    const opts = { ...random.pick(OPTS), ...(id === undefined ? {} : { jobId: id }) };
    const put = async (): Promise<unknown> => {
      // A job in the list alone has no hash, and no number of an ordinary one.
      if (random.chance(0.1)) return await redis.lpush(queue.toKey('wait'), `${name}-${index}`);
      return await queue.add(hostileString(random).slice(0, 1_000), { data }, opts).catch(() => 'refused');
    };
    const about = (): string => `${queue.name} ${id}`;
    await judge({ kind: 'junk jobs', about, run: put, limitMs: 20_000 }, tally);
  }
  await Promise.all(queues.map((queue) => queue.close()));
}

/** Ids that name a chunk of nobody's, or nothing at all; BullMQ takes no whole numbers, and no colons. */
function idOf(unique: string, random: SeededRandom): string | undefined {
  const wild = hostileString(random).slice(0, 500).replaceAll(':', '').toWellFormed();
  return random.pick([
    undefined,
    `${unique}${wild}`,
    `${unique}.0`,
    `0-${unique}.1048575`,
    `0-abc-${unique}.99999999`,
    '..',
    '{x}.0',
  ]);
}
