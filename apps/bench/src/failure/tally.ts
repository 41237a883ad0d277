import { FarmError } from '@embedfarm/contract';
import type { AnyEmbeddings } from '@embedfarm/sdk';
import { checkRows, type Rows } from './check-rows.ts';

/** What may not happen, each in texts, `hung` in calls. */
export const COUNTS = ['lost', 'duplicated', 'misordered', 'hung', 'wrong'] as const;
export type Counts = Record<(typeof COUNTS)[number], number>;

/** A call that has not ended by then never will. */
const HUNG_MS = 75_000;
/** Faults told of a run; the counts say how many there were. */
const MAX_NOTES = 12;

/** What came of one run. */
export class Tally {
  readonly counts: Counts = { lost: 0, duplicated: 0, misordered: 0, hung: 0, wrong: 0 };
  /** What differs from what should be, in words. */
  readonly notes: string[] = [];
  /** Told, and no fault: how many calls were refused, and the like. */
  readonly facts: string[] = [];
  recoveryMs: number | undefined;
  /** Texts that have their vectors. */
  texts = 0;
  #uncertainTexts = 0;
  #faultAt: number | undefined;

  add(count: keyof Counts, by: number, note: string): void {
    if (by <= 0) return;
    this.counts[count] += by;
    if (this.notes.length < MAX_NOTES) this.notes.push(`${count} ${by}: ${note}`);
  }

  /** Texts that were not promised, and may have been done. */
  mayBeCounted(texts: number): void {
    this.#uncertainTexts += texts;
  }

  /** Compares with what the farm has counted. Redis may lose a count; it never counts a text twice. */
  checkCounted(counted: number): void {
    const most = this.texts + this.#uncertainTexts;
    this.add('duplicated', counted - most, `${counted} texts were counted, ${most} were sent`);
  }

  /** From now on it is waited for the first result. */
  startClock(): void {
    this.#faultAt = performance.now();
  }

  /** A result came; the first after `startClock` is the recovery. */
  heard(): void {
    if (this.#faultAt === undefined) return;
    this.recoveryMs ??= performance.now() - this.#faultAt;
  }

  /** Waits for what a call gives. @returns undefined, and counts it, when it never ends or fails. */
  async ended<Value>(what: string, texts: number, call: Promise<Value>): Promise<Value | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), HUNG_MS);
    });
    try {
      const ended = await Promise.race([call, late]);
      if (ended !== 'late') return ended as Value;
      call.catch(() => undefined);
      this.add('hung', 1, `${what} has not ended after ${HUNG_MS} ms`);
      this.add('lost', texts, what);
    } catch (thrown) {
      this.add('lost', texts, `${what} ended with ${FarmError.from(thrown).message}`);
    } finally {
      clearTimeout(timer);
    }
    return undefined;
  }

  /** Waits for a call's vectors and looks at each. */
  async vectors(
    what: string,
    texts: readonly string[],
    call: Promise<AnyEmbeddings | Rows>,
    expected?: (index: number) => ArrayLike<number>,
  ): Promise<void> {
    const got = await this.ended(what, texts.length, call);
    if (got === undefined) return;
    this.heard();
    const rows = 'failures' in got ? rowsOf(got) : got;
    const faults = checkRows(texts, rows, expected);
    for (const count of ['lost', 'misordered', 'wrong'] as const) this.add(count, faults[count], what);
    this.add('duplicated', rows.rows - texts.length, `${what} has ${rows.rows} rows`);
    this.texts += texts.length;
  }
}

function rowsOf(embeddings: AnyEmbeddings): Rows {
  const failed = new Set(embeddings.failures.map(({ index }) => index));
  return {
    rows: embeddings.rows,
    at: (index) => (failed.has(index) ? undefined : (embeddings.at(index) as Float32Array)),
  };
}
