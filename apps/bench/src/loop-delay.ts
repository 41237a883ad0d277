import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

/** How late the main loop was, as a timer on it saw. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const INTERVAL_MS = 2;

/** A timer every 2 ms, and how late it fires. */
export class LoopDelayMonitor {
  readonly #histogram: IntervalHistogram;

  private constructor(histogram: IntervalHistogram) {
    this.#histogram = histogram;
  }

  static open(): LoopDelayMonitor {
    const histogram = monitorEventLoopDelay({ resolution: INTERVAL_MS });
    histogram.enable();
    return new LoopDelayMonitor(histogram);
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** Since the last reset. */
  read(): LoopDelay {
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - INTERVAL_MS);
    // Node counts from one firing to the next, so the interval itself is in every value.
    return {
      p50Ms: late(this.#histogram.percentile(50)),
      p99Ms: late(this.#histogram.percentile(99)),
      maxMs: late(this.#histogram.max),
    };
  }

  close(): void {
    this.#histogram.disable();
  }
}
