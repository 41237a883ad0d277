import type { MinuteStats } from './board-memory.ts';
import { textsOf } from '../src/thin-history.ts';
import { meanOf, secondsOf, type TimeBucket } from './time-buckets.ts';

/** The busiest workers have a colour each; all others share one. */
export const STACK_SIZE = 8;

export interface WorkerStack {
  /** By the slot of their colour; undefined where a slot is free. */
  readonly workers: readonly (string | undefined)[];
  /** Texts a second by slot and bucket; the last slot holds all other workers. */
  readonly textsPerSecond: readonly (readonly (number | null)[])[];
}

/** Keeps a worker in its slot while it is among the busiest, so that no colour changes its owner in passing. */
export class WorkerSlots {
  readonly #slots: (string | undefined)[] = Array.from({ length: STACK_SIZE }, () => undefined);

  stack(buckets: readonly TimeBucket[]): WorkerStack {
    this.#seat(busiest(buckets));
    const workers = [...this.#slots];
    const seated = new Set(workers);
    const bySlot = workers.map((workerId) =>
      buckets.map((bucket) => meanOf(bucket, ({ workers: of }) => (workerId ? textsOf(of, workerId) : 0))),
    );
    const others = buckets.map((bucket) =>
      meanOf(bucket, ({ texts, workers: of }) => {
        const told = Object.entries(of).reduce((sum, [id, count]) => sum + (seated.has(id) ? count : 0), 0);
        return Math.max(0, texts - told);
      }),
    );
    return { workers, textsPerSecond: [...bySlot, others] };
  }

  #seat(busy: readonly string[]): void {
    for (const [slot, workerId] of this.#slots.entries()) {
      if (workerId !== undefined && !busy.includes(workerId)) this.#slots[slot] = undefined;
    }
    for (const workerId of busy) {
      if (this.#slots.includes(workerId)) continue;
      this.#slots[this.#slots.indexOf(undefined)] = workerId;
    }
  }
}

function busiest(buckets: readonly TimeBucket[]): readonly string[] {
  const texts = new Map<string, number>();
  for (const { points } of buckets) {
    for (const point of points) {
      for (const [workerId, count] of Object.entries(point.workers)) {
        texts.set(workerId, (texts.get(workerId) ?? 0) + count * secondsOf(point));
      }
    }
  }
  return [...texts]
    .filter(([, count]) => count > 0)
    .toSorted(([leftId, left], [rightId, right]) => right - left || leftId.localeCompare(rightId))
    .slice(0, STACK_SIZE)
    .map(([workerId]) => workerId)
    .toSorted();
}

/**
 * Fills buckets of a minute that the seconds do not reach back to, with what the minutes know: the texts of all
 * workers together, in the slot of the others.
 */
export function withMinutes(
  stack: WorkerStack,
  buckets: readonly TimeBucket[],
  minutes: readonly MinuteStats[],
): WorkerStack {
  const texts = new Map(
    minutes.map(({ minute, lanes }) => [minute * 60, lanes.interactive.texts + lanes.bulk.texts]),
  );
  const textsPerSecond = stack.textsPerSecond.map((row, slot) =>
    row.map((value, at) => {
      const { second = 0, points = [] } = buckets[at] ?? {};
      const ofMinute = texts.get(second);
      if (points.length > 0 || ofMinute === undefined) return value;
      return slot === STACK_SIZE ? ofMinute / 60 : 0;
    }),
  );
  return { ...stack, textsPerSecond };
}
