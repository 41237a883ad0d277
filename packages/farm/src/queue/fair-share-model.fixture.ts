import type { ChunkShare } from './fair-share.ts';

interface WaitingChunk extends ChunkShare {
  readonly id: string;
  readonly tag: number;
}

/** What FairShare does, in numbers that have no end: a lane that starts over at once when nothing waits. */
export class FairShareModel {
  readonly #weights: Readonly<Record<string, number>>;
  readonly #next = new Map<string, number>();
  #waiting: WaitingChunk[] = [];
  #served = 0;

  constructor(weights: Readonly<Record<string, number>> = {}) {
    this.#weights = weights;
  }

  get waiting(): readonly WaitingChunk[] {
    return this.#waiting;
  }

  /** @returns the priorities. */
  add(ids: readonly string[], chunks: readonly ChunkShare[]): number[] {
    this.#served = Math.max(this.#served, this.#virtualTime());
    const tags = chunks.map(({ tenant, cost }) => {
      const start = Math.max(this.#served, this.#next.get(tenant) ?? 0);
      this.#next.set(tenant, start + cost / this.#weightOf(tenant));
      return Math.floor(start);
    });
    const added = chunks.map((chunk, index) => ({ ...chunk, id: ids[index] ?? '', tag: tags[index] ?? 0 }));
    // A stable sort: equal tags are first in, first out.
    this.#waiting = [...this.#waiting, ...added].sort((a, b) => a.tag - b.tag);
    return tags.map((tag) => tag + 1);
  }

  serve(): WaitingChunk | undefined {
    const first = this.#waiting.shift();
    if (first) this.#served = Math.max(this.#served, first.tag);
    return first;
  }

  refund(chunks: readonly ChunkShare[]): void {
    for (const { tenant, cost } of chunks) {
      const next = this.#next.get(tenant) ?? 0;
      if (next <= this.#served) continue;
      this.#next.set(tenant, Math.max(this.#served, next - cost / this.#weightOf(tenant)));
    }
  }

  #virtualTime(): number {
    const [first] = this.#waiting;
    return first ? first.tag - 1 : Math.max(0, ...this.#next.values());
  }

  #weightOf(tenant: string): number {
    return this.#weights[tenant] ?? 1;
  }
}
