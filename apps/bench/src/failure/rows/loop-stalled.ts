import type { FailureRow } from '../failure-row.ts';
import { dimensionsOf, laneOf, middleOf, msPerTextFor } from '../run-terms.ts';
import { textsOf } from '../texts-of.ts';

const DEVICE_MS = 5_000;

export const loopStalled: FailureRow = {
  name: 'loop-stalled',
  event: 'the event loop of one of two workers stands still for 8 s, longer than its locks',
  promise: 'all vectors arrive, in order; a chunk may run twice, and settles once',
  maxRecoveryMs: 10_000,
  runs: 10,
  async run(farm, plan, tally) {
    const options = { dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) };
    const victim = await farm.startWorker(options);
    await farm.startWorker(options);
    const client = await farm.connect();
    const texts = textsOf(plan);
    const { onProgress, reached } = middleOf(plan);
    const checked = tally.vectors('the call', texts, client.encode(texts, { ...laneOf(plan), onProgress }));
    await reached;
    tally.startClock();
    const stalled = victim.call({ kind: 'stall', ms: plan.stallMs });
    const held = farm.heldBy(victim);
    const begunAgain = farm.begunElsewhere(held, victim).then(() => tally.heard());
    begunAgain.catch(() => undefined);
    await checked;
    await stalled;
    await farm.atRest();
    tally.facts.push(`${farm.begunTwice.length} chunks ran twice`);
  },
};
