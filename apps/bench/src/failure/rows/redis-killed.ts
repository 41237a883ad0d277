import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import type { FailureRow } from '../failure-row.ts';
import { dimensionsOf } from '../run-terms.ts';
import { textsOf } from '../texts-of.ts';

const CALLS = 64;
const CLIENTS = 4;
/** Calls that begin while Redis is away. */
const LATE_CALLS = 8;
const DEVICE_MS = 6_000;

export const redisKilled: FailureRow = {
  name: 'redis-killed',
  event: 'Redis (AOF everysec) is killed and restarted with 64 calls in flight',
  promise: 'no call is lost or hangs; the first result is there within 2 s of Redis answering PING',
  maxRecoveryMs: 2_000,
  runs: 20,
  async run(farm, plan, tally) {
    const sizes = Array.from({ length: CALLS + LATE_CALLS }, (_, call) =>
      // One in eight travels as several chunks.
      call % 8 === 0 ? Math.floor(plan.between(257, 600)) : Math.floor(plan.between(1, 60)),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const options = { dimensions: dimensionsOf(plan), msPerText: (2 * DEVICE_MS) / total };
    await farm.startWorker(options);
    await farm.startWorker(options);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => farm.connect()));
    const start = async (call: number): Promise<void> => {
      const texts = textsOf({ tag: `${plan.tag}/${call}`, texts: sizes[call] ?? 1 });
      // Other dimensions, another job: the calls of one tick stay apart.
      const dimensions = 2 + Math.floor(call / CLIENTS);
      const client = clients[call % CLIENTS] as EmbeddingFarm;
      await tally.vectors(`call ${call}`, texts, client.encode(texts, { dimensions }));
    };
    const calls = Array.from({ length: CALLS }, (_, call) => start(call));
    await delay(plan.between(100, DEVICE_MS / 3));
    await farm.redis.kill();
    const outageMs = plan.between(200, plan.outageMs / 2);
    await delay(outageMs / 2);
    const late = Array.from({ length: LATE_CALLS }, (_, call) => start(CALLS + call));
    await delay(outageMs / 2);
    await farm.redis.restart();
    tally.startClock();
    await Promise.all([...calls, ...late]);
    tally.facts.push(`away for ${Math.round(outageMs)} ms`);
  },
};
