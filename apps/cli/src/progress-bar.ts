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

  /** `etaMs` where somebody knows better than the pace so far. */
  show({ done, total, etaMs }: { done: number; total: number; etaMs?: number | undefined }): void {
    if (!this.#stream.isTTY) return;
    const perSecond = done / ((performance.now() - this.#startedAtMs) / 1_000);
    const leftMs = etaMs ?? (done > 0 ? ((total - done) / perSecond) * 1_000 : undefined);
    const left = leftMs === undefined || done >= total ? '' : `, ${duration(leftMs)} left`;
    const pace = `${perSecond.toFixed(0)}/s`;
    this.#stream.write(`\r${bar(done, total)} ${done}/${total} ${this.#items}, ${pace}${left}\x1b[K`);
  }

  /** Leaves an empty line for what follows. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}

/** How much is done, as wide as `width` characters. */
export function bar(done: number, total: number, width = WIDTH): string {
  const filled = total === 0 ? width : Math.min(width, Math.floor((done / total) * width));
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** A time span for eyes: `4 s`, `2 min`, `3.5 h`, `2 d`. */
export function duration(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${(seconds / 3_600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(1)} d`;
}
