import { FarmError, type Lane } from '@embedfarm/contract';

/** Most calls of the interactive lane at a time, and most texts of the bulk lane: as many as one call keeps in Redis. */
const MAX_INTERACTIVE_CALLS = 1_024;
const MAX_BULK_TEXTS = 16_384;

interface Waiting {
  readonly texts: number;
  readonly go: () => void;
}

/** One lane's waiting calls by client; the client whose turn it is stands first. */
type Line = Map<string, Waiting[]>;

/**
 * Who goes to the farm next: clients in turn, so that one with a thousand requests holds nobody up, and in each client
 * first come, first served. A client for which `mayStart` says no is passed over until `look`.
 */
export class ClientTurns {
  readonly #mayStart: (client: string) => boolean;
  readonly #lines: Record<Lane, Line> = { interactive: new Map(), bulk: new Map() };
  readonly #running: Record<Lane, { calls: number; texts: number }> = {
    interactive: { calls: 0, texts: 0 },
    bulk: { calls: 0, texts: 0 },
  };

  constructor(mayStart: (client: string) => boolean) {
    this.#mayStart = mayStart;
  }

  get runningCalls(): number {
    return this.#running.interactive.calls + this.#running.bulk.calls;
  }

  /**
   * Runs the work when it is the client's turn.
   *
   * @throws FarmError `cancelled` on abort before it; else what the work throws.
   */
  async run<Value>(
    { client, lane, texts, signal }: { client: string; lane: Lane; texts: number; signal: AbortSignal },
    work: () => Promise<Value>,
  ): Promise<Value> {
    await this.#turn(client, lane, texts, signal);
    const running = this.#running[lane];
    try {
      return await work();
    } finally {
      running.calls -= 1;
      running.texts -= texts;
      this.#fill(lane);
    }
  }

  /** Somebody who might not start may now. */
  look(): void {
    this.#fill('interactive');
    this.#fill('bulk');
  }

  async #turn(client: string, lane: Lane, texts: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const line = this.#lines[lane];
      const abort = (): void => {
        const left = (line.get(client) ?? []).filter((one) => one !== waiting);
        if (left.length === 0) line.delete(client);
        else line.set(client, left);
        reject(new FarmError('cancelled', 'the door was closed'));
      };
      const waiting: Waiting = {
        texts,
        go: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      const own = line.get(client);
      if (own) own.push(waiting);
      else line.set(client, [waiting]);
      this.#fill(lane);
    });
  }

  #fill(lane: Lane): void {
    const line = this.#lines[lane];
    // Each client is looked at once a round, and a round in which nobody starts is the last.
    for (let started = true; started;) {
      started = false;
      // Who has started goes to the end of the line: this round ends where it began.
      for (const [client, own] of Array.from(line)) {
        const next = own[0];
        if (next === undefined || !this.#hasRoom(lane, next.texts)) return;
        if (!this.#mayStart(client)) continue;
        own.shift();
        line.delete(client);
        if (own.length > 0) line.set(client, own);
        this.#running[lane].calls += 1;
        this.#running[lane].texts += next.texts;
        started = true;
        next.go();
      }
    }
  }

  #hasRoom(lane: Lane, texts: number): boolean {
    const running = this.#running[lane];
    if (lane === 'interactive') return running.calls < MAX_INTERACTIVE_CALLS;
    return running.texts === 0 || running.texts + texts <= MAX_BULK_TEXTS;
  }
}
