import type { BoardPoint, ThinPoint } from './board-shape.ts';

/** What the page draws an hour in. */
export const THIN_SECONDS = 20;

/** The seconds as one point for 20 of them, that begin at whole multiples; oldest first, as they come. */
export function thinHistory(points: readonly BoardPoint[]): readonly ThinPoint[] {
  const groups = new Map<number, BoardPoint[]>();
  for (const point of points) {
    const start = point.second - (point.second % THIN_SECONDS);
    const group = groups.get(start);
    if (group) group.push(point);
    else groups.set(start, [point]);
  }
  return [...groups].map(([second, group]) => toThin(second, group));
}

function toThin(second: number, group: readonly BoardPoint[]): ThinPoint {
  const mean = (value: (point: BoardPoint) => number): number =>
    rounded(group.reduce((sum, point) => sum + value(point), 0) / group.length);
  const looked = group.filter(({ backlog }) => backlog !== null);
  const lookedMean = (value: (point: BoardPoint) => number | null): number | null =>
    looked.length === 0
      ? null
      : rounded(looked.reduce((sum, point) => sum + (value(point) ?? 0), 0) / looked.length);
  const [interactive, bulk] = [
    lookedMean(({ backlog }) => backlog?.interactive ?? 0),
    lookedMean(({ backlog }) => backlog?.bulk ?? 0),
  ];
  const ids = new Set(group.flatMap(({ workers }) => Object.keys(workers)));
  return {
    second,
    seconds: group.length,
    texts: mean(({ texts }) => texts),
    tokens: mean(({ tokens }) => tokens),
    failed: mean(({ failed }) => failed),
    clients: lookedMean(({ clients }) => clients),
    backlog: interactive === null || bulk === null ? null : { interactive, bulk },
    oldestMs: lookedMean(({ oldestMs }) => oldestMs),
    maxBacklog: Math.max(
      0,
      ...looked.map(({ backlog }) => (backlog?.interactive ?? 0) + (backlog?.bulk ?? 0)),
    ),
    busyWorkers: mean(({ busyWorkers }) => busyWorkers),
    workers: Object.fromEntries([...ids].map((id) => [id, mean(({ workers }) => textsOf(workers, id))])),
  };
}

/** A worker may be called `constructor`. */
export function textsOf(workers: BoardPoint['workers'], workerId: string): number {
  return Object.hasOwn(workers, workerId) ? (workers[workerId] ?? 0) : 0;
}

/** To two places, which is more than a chart has pixels for. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
