import { EmbeddingFarm } from '@embedfarm/sdk';
import { setTimeout as rest } from 'node:timers/promises';
import { checkRows, checkVectors } from './exact.ts';
import { MODEL } from './fuzz-worker.ts';
import { judge, type FuzzCase } from './judge.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Tally } from './tally.ts';
import { manyTexts } from './victim-calls.ts';

const TIMEOUT_MS = 30_000;
/** They are to be there all the time, and to leave the machine to the others. */
const REST_MS = 10;

/** Clients of their own, of whom nobody wants anything: all their calls must come through, exact. */
export class Strangers {
  readonly #farms: EmbeddingFarm[];
  readonly #runs: Promise<void>[];
  #hasEnded = false;

  private constructor(farms: EmbeddingFarm[], seed: number, tally: Tally) {
    this.#farms = farms;
    this.#runs = farms.map((farm, index) =>
      this.#run(farm, `s${index}`, new SeededRandom(seed + index), tally),
    );
  }

  static async open(url: string, count: number, seed: number, tally: Tally): Promise<Strangers> {
    const farms: EmbeddingFarm[] = [];
    for (let index = 0; index < count; index += 1) farms.push(await EmbeddingFarm.connect({ redis: url }));
    return new Strangers(farms, seed, tally);
  }

  async close(): Promise<void> {
    this.#hasEnded = true;
    await Promise.all(this.#runs);
    await Promise.all(this.#farms.map((farm) => farm.close()));
  }

  async #run(farm: EmbeddingFarm, name: string, random: SeededRandom, tally: Tally): Promise<void> {
    for (let call = 0; !this.#hasEnded; call += 1) {
      await judge(goodCall(farm, `${name}-${call}`, random), tally);
      await rest(REST_MS);
    }
  }
}

/** A call that nothing is wrong with. */
export function goodCall(
  farm: EmbeddingFarm,
  name: string,
  random: SeededRandom,
  model: string = MODEL,
  timeoutMs: number = TIMEOUT_MS,
): FuzzCase {
  const way = random.pick(['encode', 'encode', 'encode', 'submit', 'stream', 'cache'] as const);
  const texts = manyTexts(name, random.pick([1, 2, 5, 20, 300]));
  const wait = { timeoutMs };
  const options = { ...wait, model };
  const runs: Readonly<Record<typeof way, () => Promise<void>>> = {
    encode: async () => checkVectors(await farm.encode(texts, options), texts),
    cache: async () =>
      checkVectors(await farm.encode(texts, { ...options, cache: { ttlMs: 60_000 } }), texts),
    submit: async () => {
      const { id } = await farm.submit(texts, { ...options, resultTtlMs: 60_000 });
      checkVectors(await farm.request(id).result({ ...wait, consume: true }), texts);
    },
    stream: async () => {
      const rows = [];
      for await (const row of farm.encodeStream(texts, options)) rows.push(row);
      checkRows(rows, texts);
    },
  };
  return {
    kind: `strangers ${way}`,
    about: () => `${way} of ${texts.length} texts from ${texts[0]}`,
    run: runs[way],
    limitMs: 2 * TIMEOUT_MS,
    mustSucceed: true,
  };
}
