/** A result's frames, and what they weigh. */
export interface OutgoingResult {
  readonly frames: Buffer[];
  readonly bytes: number;
}

export interface OutboxPorts {
  /** Hands a result to ZeroMQ at once. @returns false where it has no room for this client. */
  send(frames: Buffer[]): Promise<boolean>;
  /** Somebody has subscribed to exactly this client. */
  has(client: string): boolean;
  /** Somebody hears of this client. */
  hears(client: string): boolean;
  /** A result has left, one way or the other. */
  onLeave(client: string, result: OutgoingResult, sent: boolean): void;
}

/** Who hears everything may be there already; the client's own subscription is given this long to come first. */
const OWN_FIRST_MS = 150;
/** ZeroMQ has no event for the room of one subscriber: it is asked again, less and less often. */
const MIN_RETRY_MS = 1;
const MAX_RETRY_MS = 64;

interface Line {
  readonly results: OutgoingResult[];
  bytes: number;
  isSending: boolean;
  /** Since when nobody claims its results. */
  unclaimedAtMs: number | undefined;
  /** The next wait for room; 0 unless ZeroMQ has none for this client. */
  retryMs: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Results on their way out, a line for each client. A publisher of ZeroMQ drops what a slow subscriber does not take,
 * and all that goes out before somebody has subscribed; here a result waits until it can be handed over.
 */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #unclaimedMs: number;
  readonly #lines = new Map<string, Line>();
  readonly #idle = new Set<() => void>();

  constructor(ports: OutboxPorts, { unclaimedMs }: { unclaimedMs: number }) {
    this.#ports = ports;
    this.#unclaimedMs = unclaimedMs;
  }

  /** Clients with results that wait. */
  get lines(): number {
    return this.#lines.size;
  }

  put(client: string, result: OutgoingResult): void {
    const line = this.#lines.get(client) ?? newLine();
    this.#lines.set(client, line);
    line.results.push(result);
    line.bytes += result.bytes;
    if (line.timer === undefined) void this.#flush(client, line);
  }

  /** The client has subscribed. */
  claim(client: string): void {
    const line = this.#lines.get(client);
    if (line) void this.#flush(client, line);
  }

  /** Whether ZeroMQ has no room for the client, who does not read. */
  isStuck(client: string): boolean {
    return (this.#lines.get(client)?.retryMs ?? 0) >= MAX_RETRY_MS;
  }

  /** Drops the results of the stuck client that has the most. @returns false where nobody is stuck. */
  dropLongest(): boolean {
    const stuck = [...this.#lines].filter(([client]) => this.isStuck(client));
    const [longest] = stuck.toSorted(([, a], [, b]) => b.bytes - a.bytes);
    if (!longest) return false;
    this.#drop(...longest);
    return true;
  }

  /** Settles when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#lines.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  /** Drops what waits. */
  close(): void {
    for (const [client, line] of this.#lines) this.#drop(client, line);
  }

  async #flush(client: string, line: Line): Promise<void> {
    if (line.isSending) return;
    line.isSending = true;
    clearTimeout(line.timer);
    line.timer = undefined;
    try {
      for (let next = line.results[0]; next !== undefined; next = line.results[0]) {
        if (!this.#isClaimed(client, line)) return;
        const isTaken = await this.#ports.send(next.frames);
        // Dropped meanwhile, it is nobody's.
        if (this.#lines.get(client) !== line) return;
        if (!isTaken) {
          this.#retry(client, line);
          return;
        }
        line.retryMs = 0;
        line.results.shift();
        line.bytes -= next.bytes;
        this.#ports.onLeave(client, next, true);
      }
      this.#forget(client, line);
    } catch {
      // A socket that is closed, or a result that cannot be sent: what comes after it cannot either.
      this.#drop(client, line);
    } finally {
      line.isSending = false;
    }
  }

  #retry(client: string, line: Line): void {
    line.retryMs = Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, line.retryMs * 2));
    line.timer = setTimeout(() => void this.#flush(client, line), line.retryMs);
  }

  /** Where nobody hears, looks again later, and drops all when it is too late. */
  #isClaimed(client: string, line: Line): boolean {
    if (this.#ports.has(client)) {
      line.unclaimedAtMs = undefined;
      return true;
    }
    const nowMs = performance.now();
    line.unclaimedAtMs ??= nowMs;
    const waitedMs = nowMs - line.unclaimedAtMs;
    if (waitedMs >= OWN_FIRST_MS && this.#ports.hears(client)) return true;
    if (waitedMs >= this.#unclaimedMs) {
      this.#drop(client, line);
      return false;
    }
    const leftMs = this.#unclaimedMs - waitedMs;
    const waitMs = waitedMs < OWN_FIRST_MS ? Math.min(OWN_FIRST_MS - waitedMs, leftMs) : leftMs;
    line.timer = setTimeout(() => void this.#flush(client, line), Math.ceil(waitMs));
    return false;
  }

  #drop(client: string, line: Line): void {
    this.#forget(client, line);
    const results = line.results.splice(0);
    line.bytes = 0;
    for (const result of results) this.#ports.onLeave(client, result, false);
  }

  #forget(client: string, line: Line): void {
    clearTimeout(line.timer);
    line.timer = undefined;
    if (this.#lines.get(client) === line) this.#lines.delete(client);
    if (this.#lines.size > 0) return;
    for (const tell of this.#idle) tell();
    this.#idle.clear();
  }
}

function newLine(): Line {
  return {
    results: [],
    bytes: 0,
    isSending: false,
    unclaimedAtMs: undefined,
    retryMs: 0,
    timer: undefined,
  };
}
