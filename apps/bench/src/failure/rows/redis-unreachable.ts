import { setTimeout as delay } from 'node:timers/promises';
import type { FailureRow } from '../failure-row.ts';
import { dimensionsOf, laneOf, middleOf, msPerTextFor } from '../run-terms.ts';
import { textsOf } from '../texts-of.ts';

const DEVICE_MS = 6_000;
/** Calls that begin while Redis is unreachable. */
const LATE_CALLS = 8;

const WAYS = {
  refused: { mode: 'refused', reset: false },
  'a black hole': { mode: 'silent', reset: false },
  closed: { mode: 'closed', reset: false },
  'a black hole, then connections reset': { mode: 'silent', reset: true },
} as const;
type Way = keyof typeof WAYS;

export const clientCutOff = unreachable('client-cut-off', 'the client', { client: true, worker: false }, [
  'refused',
  'a black hole',
  'closed',
  'a black hole, then connections reset',
]);

export const workerCutOff = unreachable('worker-cut-off', 'the worker', { client: false, worker: true }, [
  'a black hole',
  'refused',
  'a black hole, then connections reset',
  'closed',
]);

export const allCutOff = unreachable('all-cut-off', 'client and worker', { client: true, worker: true }, [
  'a black hole, then connections reset',
  'closed',
  'a black hole',
  'refused',
]);

function unreachable(
  name: string,
  whom: string,
  cut: { client: boolean; worker: boolean },
  ways: readonly Way[],
): FailureRow {
  return {
    name,
    event: `Redis is unreachable for ${whom}, for 10 s: refused, closed, or a black hole`,
    promise: 'no call is lost or hangs; the first result is there within 2 s of the way being open',
    maxRecoveryMs: 2_000,
    runs: 8,
    async run(farm, plan, tally) {
      const way = ways[plan.form % ways.length] ?? 'refused';
      const options = { dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) };
      const clientProxy = await farm.startProxy();
      const workerProxy = await farm.startProxy();
      await farm.startWorker({ ...options, redis: workerProxy.url });
      const client = await farm.connect(clientProxy.url);
      const texts = textsOf(plan);
      const { onProgress, reached } = middleOf(plan, [0.1, 0.4]);
      const heard = { onProgress: tallied(onProgress, () => tally.heard()) };
      const calls = [tally.vectors('the call', texts, client.encode(texts, { ...laneOf(plan), ...heard }))];
      await reached;
      const { mode, reset } = WAYS[way];
      const proxies = [...(cut.client ? [clientProxy] : []), ...(cut.worker ? [workerProxy] : [])];
      for (const proxy of proxies) await proxy.cut(mode);
      await delay(plan.outageMs / 2);
      for (let call = 0; call < LATE_CALLS; call += 1) {
        const few = textsOf({ tag: `${plan.tag}/late ${call}`, texts: 1 + (call % 3) });
        calls.push(
          tally.vectors(`late call ${call}`, few, client.encode(few, { dimensions: 2 + (call % 2) })),
        );
      }
      await delay(plan.outageMs / 2);
      tally.startClock();
      for (const proxy of proxies) await proxy.restore({ reset });
      await Promise.all(calls);
      tally.facts.push(way);
    },
  };
}

type Progress = { done: number; total: number };

function tallied(onProgress: (progress: Progress) => void, heard: () => void): (progress: Progress) => void {
  return (progress) => {
    heard();
    onProgress(progress);
  };
}
