/** Browsers reconnect after so long when the stream ends. */
const RETRY_MS = 2_000;

/** A viewer that has so much before it is told nothing more until it has read that: then all it missed, once. */
const MAX_UNREAD_BYTES = 131_072;
/** One that has read nothing in so many updates sleeps; it is let go and comes back by itself. */
const MAX_UPDATES_ASLEEP = 20;

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

/** What an update is for those who watch. */
export interface ViewersUpdate {
  /** The newest second that is told of with it. */
  readonly second: number;
  /** For who has had all before it. */
  readonly text: string;
  /** For who was told last of that second. */
  readonly since: (second: number) => string;
}

interface Viewer {
  /** The second that it was told last, where it has missed something since. */
  missedSince: number | undefined;
  toldSecond: number;
  unreadBytes: number;
  updatesAsleep: number;
}

/** The open pages. One text is made for all of them. */
export class Viewers {
  readonly #viewers = new Map<EventResponse, Viewer>();

  get size(): number {
    return this.#viewers.size;
  }

  /** Takes a viewer and shows it the first event, with that second the newest; false when the house is full. */
  add(response: EventResponse, event: string, second: number): boolean {
    if (this.#viewers.size >= MAX_VIEWERS) return false;
    this.#viewers.set(response, {
      missedSince: undefined,
      toldSecond: second,
      unreadBytes: 0,
      updatesAsleep: 0,
    });
    response.once('close', () => this.#viewers.delete(response));
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      // A proxy that buffers would make a stream of nothing.
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n${event}`);
    return true;
  }

  send({ second, text, since }: ViewersUpdate): void {
    const missed = new Map<number, string>();
    for (const [response, viewer] of this.#viewers) {
      const unreadBytes = response.writableLength;
      const isAsleep = unreadBytes > 0 && unreadBytes >= viewer.unreadBytes;
      viewer.updatesAsleep = isAsleep ? viewer.updatesAsleep + 1 : 0;
      if (viewer.updatesAsleep > MAX_UPDATES_ASLEEP) {
        response.destroy();
        continue;
      }
      if (unreadBytes > MAX_UNREAD_BYTES) viewer.missedSince ??= viewer.toldSecond;
      else {
        const { missedSince } = viewer;
        const told = missedSince === undefined ? text : (missed.get(missedSince) ?? since(missedSince));
        if (missedSince !== undefined) missed.set(missedSince, told);
        response.write(told);
        viewer.missedSince = undefined;
        viewer.toldSecond = second;
      }
      viewer.unreadBytes = response.writableLength;
    }
  }

  close(): void {
    for (const response of this.#viewers.keys()) response.end();
    this.#viewers.clear();
  }
}
