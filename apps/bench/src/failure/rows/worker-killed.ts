import type { FailureFarm } from '../failure-farm.ts';
import type { FailureRow, RunPlan } from '../failure-row.ts';
import { dimensionsOf, laneOf, middleOf, msPerTextFor } from '../run-terms.ts';
import type { Tally } from '../tally.ts';
import { textsOf } from '../texts-of.ts';

const DEVICE_MS = 5_000;
const MAX_RECOVERY_MS = 10_000;

export const workerKilled: FailureRow = {
  name: 'worker-killed',
  event: 'one of two workers is killed in the middle of a call',
  promise: 'all vectors arrive, in order, none twice; what it held is begun again within 10 s',
  maxRecoveryMs: MAX_RECOVERY_MS,
  runs: 20,
  run: (farm, plan, tally) => kill(farm, plan, tally, 2),
};

export const onlyWorkerKilled: FailureRow = {
  name: 'only-worker-killed',
  event: 'the only worker is killed in the middle of a call, another is started',
  promise: 'all vectors arrive, in order, none twice; what it held is begun again within 10 s',
  maxRecoveryMs: MAX_RECOVERY_MS,
  runs: 20,
  run: (farm, plan, tally) => kill(farm, plan, tally, 1),
};

async function kill(farm: FailureFarm, plan: RunPlan, tally: Tally, workers: number): Promise<void> {
  const options = { dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) };
  const victim = await farm.startWorker(options);
  for (let others = 1; others < workers; others += 1) await farm.startWorker(options);
  const client = await farm.connect();
  const texts = textsOf(plan);
  const { onProgress, reached } = middleOf(plan);
  const call = client.encode(texts, { ...laneOf(plan), onProgress });
  const checked = tally.vectors('the call', texts, call);
  await reached;
  tally.startClock();
  await victim.kill('SIGKILL');
  // Its last words are in the channel; what it had begun by then comes back.
  const held = farm.heldBy(victim);
  const begunAgain = farm.begunElsewhere(held, victim).then(() => tally.heard());
  tally.facts.push(`held ${held.length} chunks`);
  if (workers === 1) await farm.startWorker(options);
  await checked;
  await tally.ended('what the worker held', 0, begunAgain);
}
