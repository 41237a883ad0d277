import type { BoardEvent, BoardPoint, ThinPoint } from '../src/board-shape.ts';

export type MinuteStats = NonNullable<BoardEvent['minutes']>[number];

const KEPT_SECONDS = 3_600;
const KEPT_MINUTES = 60;

/** All that the page knows of the farm. */
export interface BoardView extends Required<Omit<BoardEvent, 'points' | 'minutes'>> {
  /** By the second, oldest first: five minutes, and since then; `older` are those before it. */
  readonly points: readonly BoardPoint[];
  /** Up to an hour, oldest first; the last may go on. */
  readonly minutes: readonly MinuteStats[];
}

/** Puts each event over what was known before. */
export class BoardMemory {
  #view: BoardView | undefined;

  get view(): BoardView | undefined {
    return this.#view;
  }

  /** The newest second known, to ask for what came after it. */
  get newestSecond(): number | undefined {
    return this.#view?.points.at(-1)?.second;
  }

  take(event: BoardEvent): BoardView {
    const known = this.#view;
    // All that is known before a part of the hour is told anew would count twice.
    const points = event.older ? [] : (known?.points ?? []);
    this.#view = {
      redis: event.redis,
      redisSinceMs: event.redisSinceMs,
      updatedAtMs: event.updatedAtMs,
      status: event.status ?? known?.status ?? null,
      waiting: event.waiting ?? known?.waiting ?? null,
      older: event.older ?? known?.older ?? [],
      points: putOver(points, event.points, ({ second }) => second, KEPT_SECONDS),
      minutes: putOver(known?.minutes ?? [], event.minutes ?? [], ({ minute }) => minute, KEPT_MINUTES),
      byClients: event.byClients ?? known?.byClients ?? [],
      clients: event.clients ?? known?.clients ?? [],
      requests: event.requests ?? known?.requests ?? [],
      failures: event.failures ?? known?.failures ?? [],
      curves: event.curves ?? known?.curves ?? [],
    };
    return this.#view;
  }
}

/** All of the hour that is known, oldest first. */
export function historyOf({ older, points }: BoardView): readonly (BoardPoint | ThinPoint)[] {
  return older.length === 0 ? points : [...older, ...points];
}

/** Now by the clock of Redis, which may be another than the server's or this machine's: times of the farm are by it. */
export function farmNowMs({ points, updatedAtMs }: Pick<BoardView, 'points' | 'updatedAtMs'>): number {
  const second = points.at(-1)?.second;
  // The last whole second is known, so it is half a second more or less.
  return second === undefined ? updatedAtMs : second * 1_000 + 1_500;
}

/**
 * What is fresh replaces what was known at the same place; the newest `kept` places stay. What is fresh ends with the
 * newest: what was known from after that goes, as Redis' clock was set back.
 */
export function putOver<Item>(
  known: readonly Item[],
  fresh: readonly Item[],
  place: (item: Item) => number,
  kept: number,
): readonly Item[] {
  if (fresh.length === 0) return known;
  const places = new Set(fresh.map(place));
  const newest = Math.max(...places);
  return [...known.filter((item) => !places.has(place(item)) && place(item) < newest), ...fresh]
    .filter((item) => place(item) > newest - kept)
    .toSorted((left, right) => place(left) - place(right));
}
