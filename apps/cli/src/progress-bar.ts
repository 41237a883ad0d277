const WIDTH = 30;

/** A bar on a terminal; nothing where the stream is none. */
export class ProgressBar {
  readonly #items: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #startedAtMs = performance.now();

  constructor(items = 'texts', stream: NodeJS.WriteStream = process.stderr) {
    this.#items = items;
    this.#stream = stream;
  }

  show({ done, total }: { done: number; total: number }): void {
    if (!this.#stream.isTTY) return;
    const filled = total === 0 ? WIDTH : Math.floor((done / total) * WIDTH);
    const perSecond = done / ((performance.now() - this.#startedAtMs) / 1_000);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    this.#stream.write(`\r${bar} ${done}/${total} ${this.#items}, ${perSecond.toFixed(0)}/s\x1b[K`);
  }

  /** Leaves an empty line for what follows. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}
