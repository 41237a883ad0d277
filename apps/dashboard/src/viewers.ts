/** Browsers reconnect after so long when the stream ends. */
const RETRY_MS = 2_000;

/** A viewer that has let this much pile up sleeps; it is let go and comes back by itself. */
const MAX_UNREAD_BYTES = 1_048_576;

/** Each open page costs one connection and a few KB a second. */
const MAX_VIEWERS = 500;

/** What a viewer is made of: an HTTP response that stays open. */
export interface EventResponse {
  readonly writableLength: number;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(text: string): unknown;
  end(): unknown;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** The open pages. One text is made for all of them. */
export class Viewers {
  readonly #responses = new Set<EventResponse>();

  get size(): number {
    return this.#responses.size;
  }

  /** Takes a viewer and shows it the first event; false when the house is full. */
  add(response: EventResponse, event: string): boolean {
    if (this.#responses.size >= MAX_VIEWERS) return false;
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      // A proxy that buffers would make a stream of nothing.
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n${event}`);
    return true;
  }

  send(event: string): void {
    for (const response of this.#responses) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(event);
    }
  }

  close(): void {
    for (const response of this.#responses) response.end();
    this.#responses.clear();
  }
}
