import { setTimeout as delay } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { callRedis } from '@embedfarm/testkit/call-redis';
import type { FailureRow } from '../failure-row.ts';
import { dimensionsOf, msPerTextFor } from '../run-terms.ts';
import { textsOf } from '../texts-of.ts';

const DEVICE_MS = 4_000;
/** Chunks are enqueued 64 at a time: enough of them that a death in between can be met. */
const FILLING_TIMES = 4;

export const clientDies: FailureRow = {
  name: 'client-dies',
  event: 'the client is killed after `submit`',
  promise: 'the request finishes, and another process reads its result',
  runs: 10,
  async run(farm, plan, tally) {
    await farm.startWorker({ dimensions: dimensionsOf(plan), msPerText: msPerTextFor(plan, DEVICE_MS) });
    const doomed = await farm.startClient();
    const spec = { tag: plan.tag, texts: plan.texts };
    const id = await doomed.call<string>({ kind: 'submit', spec, label: 'orphan' });
    await delay(plan.between(0, DEVICE_MS / 2));
    await doomed.kill('SIGKILL');
    const reader = await farm.connect();
    await tally.vectors('the request', textsOf(spec), reader.request(id).result());
    const { state, done, failed } = await reader.request(id).status();
    tally.add('lost', state === 'completed' ? 0 : plan.texts, `the request ended ${state}`);
    tally.add('duplicated', done + failed - plan.texts, `its record counts ${done + failed} texts`);
  },
};

export const clientDiesSubmitting: FailureRow = {
  name: 'client-dies-submitting',
  event: 'the client is killed in the middle of `submit`',
  promise: 'the request ends `incomplete` with what was stored, or complete; nobody waits for ever',
  runs: 10,
  async run(farm, plan, tally) {
    await farm.startWorker({ dimensions: 4, msPerText: msPerTextFor(plan, DEVICE_MS) / FILLING_TIMES });
    const doomed = await farm.startClient();
    const spec = { tag: plan.tag, texts: plan.texts * FILLING_TIMES, characters: 400 };
    const submitting = doomed
      .call<string>({ kind: 'submit', spec, label: 'half' })
      .catch((thrown: unknown) => FarmError.from(thrown));
    tally.mayBeCounted(spec.texts);
    const id = await eventually(
      async () => {
        const ids = (await callRedis(farm.redis.url, 'ZRANGE', '{embedfarm}:requests', 0, -1)) as string[];
        return ids[0];
      },
      { what: 'the record of the request' },
    );
    await delay(plan.between(0, 60));
    await doomed.kill('SIGKILL');
    await submitting;
    const reader = await farm.connect();
    const ended = eventually(
      async () => {
        const { state } = await reader.request(id).status();
        return state === 'incomplete' || state === 'completed' ? state : undefined;
      },
      { timeoutMs: 60_000, what: 'the end of the request' },
    );
    const state = await tally.ended('the request', 0, ended);
    tally.add('hung', state === undefined ? 1 : 0, 'the request has no end');
    tally.facts.push(`ended ${state}`);
  },
};
