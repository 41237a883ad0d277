import { setMaxListeners } from 'node:events';
import { MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { shortText } from './short-texts.ts';

/** Calls that came at their times. */
export interface ArrivedCalls {
  readonly latenciesMs: readonly number[];
  /** Of those that had no answer when the bench stopped: how long they had waited. */
  readonly unansweredMs: readonly number[];
}

/** One client that makes a bulk call of one chunk at fixed times, whether the one before has ended or not. */
export class Arrivals {
  readonly #farm: EmbeddingFarm;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #latenciesMs: number[] = [];
  /** When each call under way began. */
  readonly #begun = new Set<{ readonly beginMs: number }>();
  readonly #texts = Array.from({ length: MAX_CHUNK_TEXTS }, (_, index) => shortText(index));

  private constructor(farm: EmbeddingFarm, everyMs: number) {
    this.#farm = farm;
    // As many calls are under way as the farm is behind.
    setMaxListeners(0, this.#stop.signal);
    this.#timer = setInterval(() => void this.#call(), everyMs);
  }

  static start(farm: EmbeddingFarm, everyMs: number): Arrivals {
    return new Arrivals(farm, everyMs);
  }

  /** Calls under way are taken back. */
  stop(): ArrivedCalls {
    clearInterval(this.#timer);
    const nowMs = performance.now();
    const unansweredMs = Array.from(this.#begun, ({ beginMs }) => nowMs - beginMs);
    this.#stop.abort();
    return { latenciesMs: [...this.#latenciesMs], unansweredMs };
  }

  async #call(): Promise<void> {
    const call = { beginMs: performance.now() };
    this.#begun.add(call);
    try {
      await this.#farm.encode(this.#texts, { lane: 'bulk', signal: this.#stop.signal });
      this.#latenciesMs.push(performance.now() - call.beginMs);
      this.#begun.delete(call);
    } catch {
      // Taken back by `stop`, or without an answer to the end: it stays among the begun.
    }
  }
}
