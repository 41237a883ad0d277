import type { FailureRow } from '../failure-row.ts';
import { dimensionsOf, laneOf, middleOf, msPerTextFor } from '../run-terms.ts';
import { textsOf } from '../texts-of.ts';

const DEVICE_MS = 4_000;

export const connectionsForgotten: FailureRow = {
  name: 'connections-forgotten',
  event: 'all connections to Redis die without a word, new ones work',
  promise: 'it is noticed within 15 s; no call is lost or hangs',
  maxRecoveryMs: 18_000,
  runs: 5,
  async run(farm, plan, tally) {
    const options = { dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) };
    const proxy = await farm.startProxy();
    await farm.startWorker({ ...options, redis: proxy.url });
    const client = await farm.connect(proxy.url);
    const texts = textsOf(plan);
    const { onProgress, reached } = middleOf(plan);
    const call = client.encode(texts, {
      ...laneOf(plan),
      onProgress(progress) {
        tally.heard();
        onProgress(progress);
      },
    });
    const checked = tally.vectors('the call', texts, call);
    await reached;
    proxy.forget();
    tally.startClock();
    await checked;
  },
};
