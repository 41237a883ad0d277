import { setTimeout as delay } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { callRedis } from '@embedfarm/testkit/call-redis';
import type { FailureRow } from '../failure-row.ts';
import type { Rows } from '../check-rows.ts';
import { textsOf } from '../texts-of.ts';

const CLIENTS = 4;
const CALLS = 400;
/** While producers press, workers go on: some call ends at least so often. */
const MAX_SILENCE_MS = 2_000;
/** So long who was refused comes again. */
const PRESSURE_MS = 15_000;
/** What all calls together ask Redis to hold at once is several times of this. */
const FREE_BYTES = 16 * 1024 * 1024;
const CHARACTERS = 3_000;

export const redisFull: FailureRow = {
  name: 'redis-full',
  event: 'producers bring several times of what Redis has memory for',
  promise: 'each call ends in vectors or `overloaded`; workers go on, nothing is lost or hangs',
  runs: 5,
  async run(farm, plan, tally) {
    await farm.startWorker({ dimensions: 96, msPerText: 0.2 });
    await farm.startWorker({ dimensions: 96, msPerText: 0.2 });
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => farm.connect()));
    const used = Number(
      /used_memory:(\d+)/.exec(String(await callRedis(farm.redis.url, 'INFO', 'memory')))?.[1],
    );
    await callRedis(farm.redis.url, 'CONFIG', 'SET', 'maxmemory', used + FREE_BYTES);
    const silence = new Silence();
    let refusals = 0;
    let refused = 0;
    const until = performance.now() + PRESSURE_MS;
    const calls = Array.from({ length: CALLS }, async (_, call) => {
      const size = Math.floor(plan.between(1, 300));
      const restMs = plan.between(20, 200);
      const texts = textsOf({ tag: `${plan.tag}/${call}`, texts: size, characters: CHARACTERS });
      const client = clients[call % CLIENTS] as EmbeddingFarm;
      // As producers do: who is refused comes again.
      for (;;) {
        const encoding = client.encode(texts, { dimensions: 2 + (call % 90) }).catch(unlessOverloaded);
        const ended = await tally.ended(`call ${call}`, size, encoding);
        if (ended === undefined) return;
        if (ended !== 'overloaded') {
          silence.heard();
          return await tally.vectors(`call ${call}`, texts, Promise.resolve<Rows>(ended));
        }
        refusals += 1;
        // A part of it may have been done all the same.
        tally.mayBeCounted(size);
        if (performance.now() > until) break;
        await delay(restMs);
      }
      refused += 1;
    });
    await Promise.all(calls);
    const longestMs = silence.longest();
    tally.add('hung', longestMs > MAX_SILENCE_MS ? 1 : 0, `no call ended for ${Math.round(longestMs)} ms`);
    await farm.atRest();
    // What was refused can come back: the farm has room again.
    const after = textsOf({ tag: `${plan.tag}/after`, texts: 100 });
    const [client] = clients as [EmbeddingFarm];
    await tally.vectors('the call after', after, client.encode(after));
    tally.facts.push(
      `${refusals} refusals, ${Math.round(longestMs)} ms without a result; in the end ${refused} of ${CALLS} calls were refused`,
    );
  },
};

function unlessOverloaded(thrown: unknown): 'overloaded' {
  if (thrown instanceof FarmError && thrown.code === 'overloaded') return 'overloaded';
  throw thrown;
}

/** The longest time between two results. */
class Silence {
  #since = performance.now();
  #longestMs = 0;

  heard(): void {
    this.#longestMs = this.longest();
    this.#since = performance.now();
  }

  longest(): number {
    return Math.max(this.#longestMs, performance.now() - this.#since);
  }
}
