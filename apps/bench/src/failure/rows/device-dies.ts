import type { FailureRow } from '../failure-row.ts';
import { middleOf } from '../run-terms.ts';
import { textsOf } from '../texts-of.ts';

const FEWEST_TEXTS = 1_500;

export const deviceDies: FailureRow = {
  name: 'device-dies',
  event: 'the device threads of a worker die in the middle of a call',
  promise: 'they are opened anew, their texts run again; the vectors have the same bits',
  maxRecoveryMs: 10_000,
  runs: 10,
  async run(farm, plan, tally) {
    const worker = await farm.startDeviceWorker('cpu:1');
    const client = await farm.connect();
    const texts = textsOf({ tag: plan.tag, texts: Math.max(FEWEST_TEXTS, plan.texts / 4), characters: 120 });
    const before = await tally.ended('the call before', texts.length, client.encode(texts));
    if (before === undefined) return;
    const { onProgress, reached } = middleOf(plan, [0.1, 0.5]);
    const call = client.encode(texts, {
      onProgress(progress) {
        tally.heard();
        onProgress(progress);
      },
    });
    const checked = tally.vectors('the call', texts, call, (index) => before.at(index));
    await reached;
    const threads = await worker.call<number>({ kind: 'crash' });
    tally.startClock();
    tally.facts.push(`${threads} threads died`);
    await checked;
    await tally.vectors('the call after', texts, client.encode(texts), (index) => before.at(index));
    // Both calls before are counted as well.
    tally.texts += texts.length;
  },
};
