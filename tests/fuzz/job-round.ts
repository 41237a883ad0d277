import type { EmbeddingFarm } from '@embedfarm/sdk';
import type { Redis } from 'ioredis';
import { VICTIM } from './fuzz-worker.ts';
import { judge } from './judge.ts';
import type { SeededRandom } from './seeded-random.ts';
import { spoilJob, VictimQueue } from './spoil-jobs.ts';
import type { Tally } from './tally.ts';
import { encodeVictim, submitVictim, type VictimCall } from './victim-calls.ts';

export interface RoundPorts {
  readonly url: string;
  readonly farm: EmbeddingFarm;
  /** By which the damage is done. */
  readonly redis: Redis;
  readonly tally: Tally;
}

/** Share of the victims that something is done to. */
const HARMED = 0.5;

/** Jobs and records are spoilt while they wait; those that nothing was done to must come through. */
export async function jobRound(
  { farm, redis, tally }: RoundPorts,
  name: string,
  count: number,
  random: SeededRandom,
): Promise<void> {
  const queue = new VictimQueue(redis);
  await queue.pause();
  const calls: VictimCall[] = [];
  const ends: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const make = random.chance(0.5) ? encodeVictim : submitVictim;
    const call = make('jobs', farm, VICTIM, `${name}-${index}`, random);
    calls.push(call);
    ends.push(judge(call, tally));
    // Calls of one tick would share a job.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const waiting = await queue.waiting(calls.filter((call) => !call.about().includes('cancel')));
  for (const [jobKey, own] of waiting) {
    if (!random.chance(HARMED)) continue;
    // Said before it is done: from then on the call may end in any way.
    for (const call of own) call.damages.push('spoilt');
    const damage = await spoilJob(redis, jobKey, [...waiting.keys()], random);
    for (const call of own) call.damages.push(damage);
  }
  await queue.resume();
  await Promise.all(ends);
  await queue.close();
}
