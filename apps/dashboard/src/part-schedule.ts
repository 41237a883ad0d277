import { PART_EVERY_MS, PART_NAMES, type PartName } from './board-parts.ts';

/** An update may begin this much before a second is over, and still be the one that a part is due at. */
const SLACK_MS = 200;

/** Which parts are due: each at first, and then as often as it is to be read. */
export class PartSchedule {
  readonly #readAtMs = new Map<PartName, number>();

  /** Those to be read now; they count as read. */
  take(nowMs: number): readonly PartName[] {
    const due = PART_NAMES.filter((name) => {
      const sinceMs = nowMs - (this.#readAtMs.get(name) ?? -Infinity);
      // A clock that was set back is no reason to wait for it.
      return sinceMs < 0 || sinceMs >= PART_EVERY_MS[name] - SLACK_MS;
    });
    for (const name of due) this.#readAtMs.set(name, nowMs);
    return due;
  }
}
