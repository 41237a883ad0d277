import type { AnyEmbeddings, EmbeddingFarm } from '@embedfarm/sdk';
import { checkRows, checkVectors } from './exact.ts';
import { FarmError } from '@embedfarm/contract';
import type { FuzzCase } from './judge.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A victim's own deadline; the sweep finds what was lost within 7 s. */
export const VICTIM_TIMEOUT_MS = 9_000;
/** Beyond it, where the machine is slow. */
const GRACE_MS = 12_000;

/** A call of somebody whose keys are spoilt. As long as nothing is, its vectors must come, exact. */
export class VictimCall implements FuzzCase {
  readonly limitMs = 2 * VICTIM_TIMEOUT_MS + GRACE_MS;
  readonly #kind: string;
  /** What was done to it. */
  readonly damages: string[] = [];
  #late = '';
  /** Of a submitted one. */
  requestId: string | undefined;
  readonly texts: readonly string[];
  readonly run: () => Promise<unknown>;

  constructor(
    kind: string,
    name: string,
    texts: readonly string[],
    run: (self: VictimCall) => Promise<unknown>,
  ) {
    this.#kind = `${kind} ${name}`;
    this.texts = texts;
    this.run = async () => await run(this).catch((thrown: unknown) => this.#again(thrown, run));
  }

  get kind(): string {
    return this.damages.length === 0 ? `${this.#kind.split(' ')[0]} unharmed${this.#late}` : this.#kind;
  }

  get mustSucceed(): boolean {
    return this.damages.length === 0;
  }

  readonly about = (): string =>
    `${this.#kind} of ${this.texts.length} texts ${this.requestId ?? ''}: ${this.damages.join('; ')}`;

  /** Beside jobs that are mended, and connections that are killed, a call may be late; it is not lost. */
  async #again(thrown: unknown, run: (self: VictimCall) => Promise<unknown>): Promise<unknown> {
    const isLate = thrown instanceof FarmError && thrown.code === 'deadline_exceeded';
    if (!isLate || this.damages.length > 0) throw thrown;
    this.#late = ', late';
    return await run(this);
  }

  /** What came is exact, or, where bytes were put in its place, at least can be looked at. */
  check(embeddings: AnyEmbeddings): void {
    if (this.damages.length === 0) checkVectors(embeddings, this.texts);
    else lookAt(embeddings);
  }
}

/** Looks at every row, as a caller may. */
export function lookAt(embeddings: AnyEmbeddings): void {
  for (let index = 0; index < embeddings.rows; index += 1) {
    if (embeddings.has(index)) [embeddings.at(index), embeddings.bytesAt(index)].map(({ length }) => length);
  }
}

/** An awaited call. `name` makes its texts its own. */
export function encodeVictim(
  kind: string,
  farm: EmbeddingFarm,
  model: string,
  name: string,
  random: SeededRandom,
): VictimCall {
  const texts = manyTexts(name, random.pick([1, 1, 2, 3]));
  const options = {
    model,
    timeoutMs: VICTIM_TIMEOUT_MS,
    ...(random.chance(0.2) ? { lane: 'bulk' as const } : {}),
  };
  return new VictimCall(kind, 'encode', texts, async (self) => self.check(await farm.encode(texts, options)));
}

/** A submitted request, and one of the ways to its rows. */
export function submitVictim(
  kind: string,
  farm: EmbeddingFarm,
  model: string,
  name: string,
  random: SeededRandom,
): VictimCall {
  const texts = manyTexts(name, random.pick([1, 2, 3, 300, 600]));
  const timeoutMs = VICTIM_TIMEOUT_MS;
  const lane = random.pick(['bulk', 'interactive'] as const);
  const way = random.pick(['result', 'rows', 'finished', 'wait', 'cancel'] as const);
  return new VictimCall(kind, `submit, ${way}`, texts, async (self) => {
    const request = await farm.submit(texts, { model, timeoutMs, lane, label: name });
    self.requestId = request.id;
    if (way === 'wait') return await request.wait({ timeoutMs });
    if (way === 'result') return self.check(await request.result({ timeoutMs, consume: random.chance(0.3) }));
    if (way === 'cancel') {
      await request.cancel();
      return await request.wait({ timeoutMs });
    }
    const rows = [];
    const order = way === 'rows' ? 'texts' : 'finished';
    for await (const row of request.rows({ timeoutMs, order, consume: random.chance(0.3) })) rows.push(row);
    if (self.mustSucceed)
      checkRows(
        rows.toSorted((a, b) => a.index - b.index),
        texts,
      );
    return undefined;
  });
}

export function manyTexts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}
