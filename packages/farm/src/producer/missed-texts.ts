import type { EncodeText, FarmError } from '@embedfarm/contract';
import type { CallPart } from './call-part.ts';
import type { WhenOverloaded } from './overloaded.ts';
import type { SettledChunk } from './pending-chunks.ts';

/** The texts of a call that the cache does not have: they travel one after the other, and go back to their places. */
export class MissedTexts implements CallPart {
  readonly texts: readonly EncodeText[];
  readonly #call: CallPart;
  /** shape `[texts]`: their places in the call, rising. */
  readonly #places: readonly number[];

  constructor(call: CallPart, places: readonly number[]) {
    this.#call = call;
    this.#places = places;
    this.texts = places.map((place) => call.texts[place] ?? '');
  }

  get hasEnded(): boolean {
    return this.#call.hasEnded;
  }

  get patienceMs(): number {
    return this.#call.patienceMs;
  }

  get whenOverloaded(): WhenOverloaded {
    return this.#call.whenOverloaded;
  }

  get trace(): string | undefined {
    return this.#call.trace;
  }

  get ended(): Promise<unknown> {
    return this.#call.ended;
  }

  explainDeadline(refusal: () => FarmError | undefined): void {
    this.#call.explainDeadline(refusal);
  }

  put(at: number, chunk: SettledChunk, from: number, to: number): void {
    const places = this.#places.slice(at, at + to - from);
    for (const run of runsOf(places)) {
      this.#call.put(places[run.from] ?? 0, chunk, from + run.from, from + run.to);
    }
  }

  fail(error: FarmError): void {
    this.#call.fail(error);
  }

  onDetach(listener: () => void): void {
    this.#call.onDetach(listener);
  }
}

/** Where places follow one another without a gap: from `from`, up to but not with `to`. */
export function runsOf(places: readonly number[]): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  let from = 0;
  for (let to = 1; to <= places.length; to += 1) {
    if (to < places.length && places[to] === (places[to - 1] ?? 0) + 1) continue;
    runs.push({ from, to });
    from = to;
  }
  return runs;
}
