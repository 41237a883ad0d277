const WINDOW_SECONDS = 5;

interface Second {
  second: number;
  texts: number;
  tokens: number;
  busyMs: number;
}

/** Sums over the last 5 full seconds and the running one. */
export class RecentRates {
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #seconds: Second[] = [];

  /** `now` gives ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedMs = now();
  }

  add(texts: number, tokens: number, busyMs: number): void {
    const second = Math.floor(this.#now() / 1_000);
    let last = this.#seconds.at(-1);
    if (last?.second !== second) {
      last = { second, texts: 0, tokens: 0, busyMs: 0 };
      this.#seconds.push(last);
      this.#forgetOld(second);
    }
    last.texts += texts;
    last.tokens += tokens;
    last.busyMs += busyMs;
  }

  /** Per second of the window; `busyShare` is 0 to 1. */
  read(): { textsPerSecond: number; tokensPerSecond: number; busyShare: number } {
    const now = this.#now();
    const second = Math.floor(now / 1_000);
    this.#forgetOld(second);
    const windowMs = Math.max(
      1_000,
      Math.min(now - (second - WINDOW_SECONDS) * 1_000, now - this.#startedMs),
    );
    const sum = (of: (second: Second) => number): number =>
      this.#seconds.reduce((total, s) => total + of(s), 0);
    return {
      textsPerSecond: (sum((s) => s.texts) * 1_000) / windowMs,
      tokensPerSecond: (sum((s) => s.tokens) * 1_000) / windowMs,
      busyShare: Math.min(1, sum((s) => s.busyMs) / windowMs),
    };
  }

  #forgetOld(second: number): void {
    while ((this.#seconds[0]?.second ?? second) < second - WINDOW_SECONDS) this.#seconds.shift();
  }
}
