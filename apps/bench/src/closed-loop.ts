import { setTimeout as rest } from 'node:timers/promises';
import type { Encode } from './encode.ts';
import { seededRandom } from '@embedfarm/testkit/seeded-random';

/** Milliseconds since 1970, finer than Date.now: comparable between processes of one machine. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}

/** A span of time, in ms since 1970. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Calls that ended in a span. */
export interface LoopCalls {
  /** Calls per client. */
  readonly calls: readonly number[];
  readonly tokens: number;
  readonly latenciesMs: readonly number[];
}

interface EndedCall {
  readonly client: number;
  readonly endMs: number;
  readonly latencyMs: number;
  readonly tokens: number;
}

export interface LoopTerms {
  /** Between an answer and the next call: anything up to this, each as likely. Default: 0. */
  readonly maxPauseMs?: number;
  /** Texts of a call. Default: 1. */
  readonly callTexts?: number;
}

/** Clients that each ask for one text, wait for its vector, pause where they are told to, and ask for the next. */
export class ClosedLoop {
  readonly #clients: number;
  readonly #maxPauseMs: number;
  readonly #callTexts: number;
  readonly #ended: EndedCall[] = [];
  readonly #running: Promise<unknown>;
  #isStopping = false;

  private constructor(
    encoders: readonly Encode[],
    textsOf: (client: number) => readonly string[],
    { maxPauseMs = 0, callTexts = 1 }: LoopTerms,
  ) {
    this.#clients = encoders.length;
    this.#maxPauseMs = maxPauseMs;
    this.#callTexts = callTexts;
    const loops = encoders.map((encode, client) => this.#run(encode, client, textsOf(client)));
    this.#running = Promise.all(loops);
    // `stop` tells it.
    this.#running.catch(() => (this.#isStopping = true));
  }

  /**
   * One client per encoder; each goes through its texts again and again.
   */
  static start(
    encoders: readonly Encode[],
    textsOf: (client: number) => readonly string[],
    terms: LoopTerms = {},
  ): ClosedLoop {
    return new ClosedLoop(encoders, textsOf, terms);
  }

  /**
   * Waits for the calls in flight.
   *
   * @throws what a call failed with.
   */
  async stop({ fromMs, toMs }: Span): Promise<LoopCalls> {
    this.#isStopping = true;
    await this.#running;
    const counted = this.#ended.filter(({ endMs }) => endMs >= fromMs && endMs < toMs);
    const calls = Array.from({ length: this.#clients }, () => 0);
    for (const { client } of counted) calls[client] = (calls[client] ?? 0) + 1;
    return {
      calls,
      tokens: counted.reduce((sum, { tokens }) => sum + tokens, 0),
      latenciesMs: counted.map(({ latencyMs }) => latencyMs),
    };
  }

  async #run(encode: Encode, client: number, texts: readonly string[]): Promise<void> {
    const random = seededRandom(client);
    for (let next = 0; !this.#isStopping; next = (next + this.#callTexts) % texts.length) {
      const call = Array.from(
        { length: this.#callTexts },
        (_, index) => texts[(next + index) % texts.length] as string,
      );
      const beginMs = epochMs();
      const { tokens } = await encode(call, 'interactive');
      const endMs = epochMs();
      this.#ended.push({ client, endMs, latencyMs: endMs - beginMs, tokens });
      if (this.#maxPauseMs > 0) await rest(random() * this.#maxPauseMs);
    }
  }
}
