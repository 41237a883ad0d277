import type { BoardEvent } from '../src/board-shape.ts';

/** The server speaks once a second; so much silence means that nobody is there, or that this machine slept. */
const SILENCE_MS = 10_000;
/** Where a proxy lets no stream through. */
const POLL_MS = 2_000;
const POLL_DEADLINE_MS = 8_000;
/** How long polling does before the stream is tried again. */
const STREAM_RETRY_MS = 30_000;

export interface BoardReader {
  take(event: BoardEvent): void;
  /** Neither the stream nor polling brings anything. */
  lose(): void;
  /** The newest second that is known, to ask only for what came after it. */
  newestSecond(): number | undefined;
}

/**
 * Follows the board for as long as the page is open: by the event stream, else by polling, with the stream tried
 * again now and then. A stream that falls silent is given up.
 */
export class BoardFeed {
  readonly #reader: BoardReader;
  #source: EventSource | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(reader: BoardReader) {
    this.#reader = reader;
    this.#stream();
  }

  #stream(): void {
    const source = new EventSource('api/events');
    this.#source = source;
    source.addEventListener('board', ({ data }: MessageEvent<string>) => {
      this.#expectMore();
      this.#reader.take(JSON.parse(data) as BoardEvent);
    });
    source.addEventListener('error', () => this.#giveUp());
    this.#expectMore();
  }

  #expectMore(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#giveUp(), SILENCE_MS);
  }

  #giveUp(): void {
    clearTimeout(this.#patience);
    this.#source?.close();
    void this.#poll(performance.now() + STREAM_RETRY_MS);
  }

  async #poll(untilMs: number): Promise<void> {
    const isThere = await this.#pollOnce();
    if (!isThere) this.#reader.lose();
    // A server that has come back streams again at once.
    const isTime = performance.now() >= untilMs;
    setTimeout(() => (isTime || !isThere ? this.#stream() : void this.#poll(untilMs)), POLL_MS);
  }

  async #pollOnce(): Promise<boolean> {
    const since = this.#reader.newestSecond();
    try {
      const response = await fetch(since === undefined ? 'api/board' : `api/board?since=${since}`, {
        signal: AbortSignal.timeout(POLL_DEADLINE_MS),
        cache: 'no-store',
      });
      // A session that has ended: the server shows where to sign in.
      if (response.status === 401) location.reload();
      if (!response.ok) return false;
      this.#reader.take((await response.json()) as BoardEvent);
      return true;
    } catch {
      return false;
    }
  }
}
