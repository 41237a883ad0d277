import type { StatsPoint } from '@embedfarm/farm/inspect';

/** Workers that a second tells of; the page draws half as many, and all others together. */
const MAX_FOLLOWED = 16;
/** A worker that has ended nothing for so long makes place for another. */
const IDLE_SECONDS = 300;

/**
 * Chooses the workers whose texts are kept by the second: the same ones from second to second, so that they can be drawn
 * as one, and few, so that an hour of a farm of a thousand workers is no more than one of twenty.
 */
export class FollowedWorkers {
  /** By id: the last second in which it ended a text. */
  readonly #lastBusy = new Map<string, number>();

  /** The seconds with only those workers that are followed; all their texts stay in `texts`. */
  cut(points: readonly StatsPoint[]): readonly StatsPoint[] {
    this.#choose(points);
    return points.map((point) => ({ ...point, workers: this.#followedOf(point) }));
  }

  #choose(points: readonly StatsPoint[]): void {
    const newest = points.at(-1)?.second ?? 0;
    const texts = new Map<string, number>();
    const lastBusy = new Map<string, number>();
    for (const { second, workers } of points) {
      for (const [id, count] of Object.entries(workers)) {
        texts.set(id, (texts.get(id) ?? 0) + count);
        lastBusy.set(id, second);
      }
    }
    for (const [id, second] of this.#lastBusy) {
      const last = lastBusy.get(id) ?? second;
      // Ahead of the newest second it is where Redis' clock was set back.
      if (last > newest || last <= newest - IDLE_SECONDS) this.#lastBusy.delete(id);
      else this.#lastBusy.set(id, last);
    }
    const busiest = [...texts].toSorted(([leftId, left], [rightId, right]) =>
      right === left ? leftId.localeCompare(rightId) : right - left,
    );
    for (const [id] of busiest) {
      if (this.#lastBusy.size >= MAX_FOLLOWED) return;
      this.#lastBusy.set(id, lastBusy.get(id) ?? newest);
    }
  }

  #followedOf({ workers }: StatsPoint): Record<string, number> {
    const followed = Object.entries(workers).filter(([id]) => this.#lastBusy.has(id));
    return Object.fromEntries(followed);
  }
}
