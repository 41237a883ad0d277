import type { FailureRow } from '../failure-row.ts';
import { dimensionsOf, laneOf, middleOf, msPerTextFor } from '../run-terms.ts';
import { textsOf } from '../texts-of.ts';

const DEVICE_MS = 5_000;

export const workerToldToStop: FailureRow = {
  name: 'worker-told-to-stop',
  event: 'one of two workers gets SIGTERM in the middle of a call',
  promise: 'it drains and exits with 0; nothing is run twice',
  runs: 20,
  async run(farm, plan, tally) {
    const options = { dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) };
    const leaving = await farm.startWorker(options);
    await farm.startWorker(options);
    const client = await farm.connect();
    const texts = textsOf(plan);
    const { onProgress, reached } = middleOf(plan);
    const checked = tally.vectors('the call', texts, client.encode(texts, { ...laneOf(plan), onProgress }));
    await reached;
    const exited = leaving.kill('SIGTERM');
    await checked;
    const exit = await tally.ended('the worker', 0, exited);
    tally.add('lost', exit?.code === 0 ? 0 : 1, `the worker ended with ${exit?.signal ?? exit?.code}`);
    tally.add('duplicated', farm.begunTwice.length, `chunks begun twice: ${farm.begunTwice.join(', ')}`);
  },
};
