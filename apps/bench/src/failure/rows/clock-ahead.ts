import { setTimeout as delay } from 'node:timers/promises';
import type { FailureRow } from '../failure-row.ts';
import { dimensionsOf, msPerTextFor } from '../run-terms.ts';
import type { RowFaults } from '../check-rows.ts';
import type { Tally } from '../tally.ts';
import { textsOf } from '../texts-of.ts';

const DEVICE_MS = 3_000;
const CLOCK_AHEAD_MS = 300_000;

export const workerClockAhead: FailureRow = {
  name: 'worker-clock-ahead',
  event: "one of two workers' clock is 5 min ahead",
  promise: 'as if it were not',
  runs: 5,
  async run(farm, plan, tally) {
    const options = { dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) };
    await farm.startWorker({ ...options, clockAheadMs: CLOCK_AHEAD_MS });
    await farm.startWorker(options);
    const client = await farm.connect();
    const texts = textsOf(plan);
    await tally.vectors('the call', texts, client.encode(texts, { timeoutMs: 60_000 }));
    const few = textsOf({ tag: `${plan.tag}/few`, texts: 10 });
    await tally.vectors('the call of few', few, client.encode(few, { timeoutMs: 60_000 }));
    tally.add('duplicated', farm.begunTwice.length, 'chunks begun twice');
  },
};

export const clientClockAhead: FailureRow = {
  name: 'client-clock-ahead',
  event: "the client's clock is 5 min ahead",
  promise: 'as if it were not',
  runs: 5,
  async run(farm, plan, tally) {
    await farm.startWorker({ dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) });
    const client = await farm.startClient({ clockAheadMs: CLOCK_AHEAD_MS });
    for (const texts of [plan.texts, 10]) {
      const spec = { tag: `${plan.tag}/${texts}`, texts };
      const faults = await tally.ended('the call', texts, client.call<RowFaults>({ kind: 'encode', spec }));
      if (faults) addFaults(tally, faults, texts);
    }
    const spec = { tag: `${plan.tag}/submitted`, texts: 300 };
    const id = await client.call<string>({ kind: 'submit', spec, label: 'ahead' });
    const reader = await farm.connect();
    await tally.vectors('the request', textsOf(spec), reader.request(id).result());
    tally.add('duplicated', farm.begunTwice.length, 'chunks begun twice');
  },
};

export const retryClockAhead: FailureRow = {
  name: 'retry-clock-ahead',
  event: 'a worker with its clock 5 min ahead fails a chunk for a reason that may pass, and is killed',
  promise: 'the chunk runs again soon, on the other worker',
  runs: 5,
  async run(farm, plan, tally) {
    const options = { dimensions: 4, msPerText: 1 };
    const ahead = await farm.startWorker({ ...options, clockAheadMs: CLOCK_AHEAD_MS, failingChunks: 1 });
    const client = await farm.connect();
    const texts = textsOf({ tag: plan.tag, texts: 200 });
    const failed = farm.noted('fail');
    const call = client.encode(texts, { timeoutMs: 30_000 });
    const checked = tally.vectors('the call', texts, call);
    await failed;
    await delay(plan.between(0, 100));
    await ahead.kill('SIGKILL');
    await farm.startWorker(options);
    await checked;
  },
};

function addFaults(tally: Tally, faults: RowFaults, texts: number): void {
  for (const count of ['lost', 'misordered', 'wrong'] as const) tally.add(count, faults[count], 'the call');
  tally.texts += texts;
}
