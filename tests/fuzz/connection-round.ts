import { redisKeys } from '@embedfarm/contract';
import { setTimeout as rest } from 'node:timers/promises';
import { MODEL } from './fuzz-worker.ts';
import { hostileString } from './hostile-strings.ts';
import type { RoundPorts } from './job-round.ts';
import { judge } from './judge.ts';
import type { SeededRandom } from './seeded-random.ts';

const keys = redisKeys();
/** Between two of them: what is cut off has to come back before it is cut off again. */
const REST_MS = 20;

/** Connections are killed, scripts forgotten, and cancellations told that nobody has asked for. */
export async function connectionRound(
  { redis, tally }: RoundPorts,
  count: number,
  random: SeededRandom,
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    let about = '';
    const harm = async (): Promise<void> => {
      const luck = random.next();
      if (luck < 0.15) {
        about = 'script flush';
        await redis.script('FLUSH');
      } else if (luck < 0.3) {
        const own = await redis.client('ID');
        const list = String(await redis.client('LIST'))
          .split('\n')
          .flatMap((line) => /^id=(\d+)/.exec(line)?.[1] ?? []);
        const id = random.pick(list.filter((other) => other !== String(own)));
        about = `client kill ${id}`;
        await redis.client('KILL', 'ID', id).catch(() => undefined);
      } else {
        // A hint without a tombstone: the worker takes the job back and goes on.
        const active = await redis.lrange(`${keys.jobPrefix(MODEL, 'interactive')}active`, 0, -1);
        const [id = ''] = active.length > 0 ? random.pick(active).split('.') : [];
        const hint = random.chance(0.5) ? id : hostileString(random);
        about = `publish ${hint.slice(0, 40)}`;
        await redis.publish(keys.cancel, hint);
      }
      await rest(REST_MS);
    };
    await judge({ kind: 'connections', about: () => about, run: harm, limitMs: 20_000 }, tally);
  }
}
