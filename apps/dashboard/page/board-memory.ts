import type { BoardEvent, BoardPoint } from '../src/board-shape.ts';
import { SilentWorkers, type SeenWorker } from './silent-workers.ts';

export type MinuteStats = NonNullable<BoardEvent['minutes']>[number];

const KEPT_SECONDS = 3_600;
const KEPT_MINUTES = 60;

/** All that the page knows of the farm. */
export interface BoardView extends Required<Omit<BoardEvent, 'points' | 'minutes'>> {
  /** Up to an hour, oldest first. */
  readonly points: readonly BoardPoint[];
  /** Up to an hour, oldest first; the last may go on. */
  readonly minutes: readonly MinuteStats[];
  /** Those alive, and those that fell silent. */
  readonly workers: readonly SeenWorker[];
}

/** Puts each event over what was known before. */
export class BoardMemory {
  readonly #silent = new SilentWorkers();
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
    // While Redis is down the server knows of no worker, so none has fallen silent.
    const isHeard = event.redis === 'up' && event.status !== null;
    this.#view = {
      redis: event.redis,
      redisSinceMs: event.redisSinceMs,
      updatedAtMs: event.updatedAtMs,
      status: event.status ?? known?.status ?? null,
      waiting: event.waiting ?? known?.waiting ?? null,
      points: putOver(known?.points ?? [], event.points, ({ second }) => second, KEPT_SECONDS),
      minutes: putOver(known?.minutes ?? [], event.minutes ?? [], ({ minute }) => minute, KEPT_MINUTES),
      byClients: event.byClients ?? known?.byClients ?? [],
      clients: event.clients ?? known?.clients ?? [],
      requests: event.requests ?? known?.requests ?? [],
      failures: event.failures ?? known?.failures ?? [],
      curves: event.curves ?? known?.curves ?? [],
      workers: isHeard ? this.#silent.hear(event.status.workers, event.updatedAtMs) : (known?.workers ?? []),
    };
    return this.#view;
  }
}

/** What is fresh replaces what was known at the same place; the newest `kept` places stay. */
export function putOver<Item>(
  known: readonly Item[],
  fresh: readonly Item[],
  place: (item: Item) => number,
  kept: number,
): readonly Item[] {
  if (fresh.length === 0) return known;
  const places = new Set(fresh.map(place));
  const all = [...known.filter((item) => !places.has(place(item))), ...fresh].toSorted(
    (left, right) => place(left) - place(right),
  );
  const newest = place(all.at(-1) as Item);
  return all.filter((item) => place(item) > newest - kept);
}
