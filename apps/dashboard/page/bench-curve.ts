import type { BoardEvent } from '../src/board-shape.ts';

export type BenchCurve = NonNullable<BoardEvent['curves']>[number];

/** What the curve was measured with. */
export function curveStory({
  shape,
  workload,
  workers,
  devices,
  machine,
  commit,
  measuredAt,
}: BenchCurve): string {
  const day = measuredAt.slice(0, 10);
  const farm = `${workers} ${workers === 1 ? 'worker' : 'workers'} of ${devices}`;
  return `${shape}, ${workload}, ${farm}, on ${machine}, ${day}, ${commit.slice(0, 8)}`;
}
