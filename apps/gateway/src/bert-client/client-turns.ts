import { FarmError, type Lane } from '@embedfarm/contract';

/** Most calls of the interactive lane at a time, and most texts of the bulk lane: as many as one call keeps in Redis. */
const MAX_INTERACTIVE_CALLS = 1_024;
const MAX_BULK_TEXTS = 16_384;

/** Who asks for a turn. */
export interface TurnSeeker {
  readonly client: string;
  readonly lane: Lane;
  /** The client's requests go by this, so that one is done before the next begins. */
  readonly order: number;
  readonly texts: number;
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly order: number;
  readonly texts: number;
  readonly go: () => void;
}

/** One lane's waiting calls by client; the client whose turn it is stands first. */
type Line = Map<string, Waiting[]>;

/**
 * Who goes to the farm next: clients in turn, so that one with a thousand requests holds nobody up, and in each client
 * the request that came first. A client for which `mayStart` says no is passed over until `look`.
 */
export class ClientTurns {
  readonly #mayStart: (client: string) => boolean;
  readonly #lines: Record<Lane, Line> = { interactive: new Map(), bulk: new Map() };
  readonly #running: Record<Lane, { calls: number; texts: number }> = {
    interactive: { calls: 0, texts: 0 },
    bulk: { calls: 0, texts: 0 },
  };

  #orders = 0;

  constructor(mayStart: (client: string) => boolean) {
    this.#mayStart = mayStart;
  }

  /** For a request that is new. */
  nextOrder(): number {
    this.#orders += 1;
    return this.#orders;
  }

  get runningCalls(): number {
    return this.#running.interactive.calls + this.#running.bulk.calls;
  }

  /**
   * Runs the work when it is the client's turn.
   *
   * @throws FarmError `cancelled` on abort before it; else what the work throws.
   */
  async run<Value>(seeker: TurnSeeker, work: () => Promise<Value>): Promise<Value> {
    await this.#turn(seeker);
    const { lane, texts } = seeker;
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

  async #turn({ client, lane, order, texts, signal }: TurnSeeker): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const line = this.#lines[lane];
      const abort = (): void => {
        const left = (line.get(client) ?? []).filter((one) => one !== waiting);
        if (left.length === 0) line.delete(client);
        else line.set(client, left);
        reject(new FarmError('cancelled', 'the door was closed'));
      };
      const waiting: Waiting = {
        order,
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
      if (own) putInOrder(own, waiting);
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

/** Most are the newest, and those that are not are near the front. */
function putInOrder(line: Waiting[], waiting: Waiting): void {
  const isNewest = (line.at(-1)?.order ?? 0) <= waiting.order;
  const at = isNewest ? line.length : line.findIndex(({ order }) => order > waiting.order);
  line.splice(at, 0, waiting);
}
