import type { DeviceWork } from '../device-work.ts';

/** What several workers did in the same while, as one. undefined of none. */
export function workOfAll(works: readonly DeviceWork[]): DeviceWork | undefined {
  if (works.length === 0) return undefined;
  const batches = works.reduce((sum, work) => sum + work.batches, 0);
  const byBatch = (pick: (work: DeviceWork) => number): number =>
    batches === 0 ? 0 : works.reduce((sum, work) => sum + pick(work) * work.batches, 0) / batches;
  return {
    batches,
    tokensPerBatch: byBatch((work) => work.tokensPerBatch),
    batchFill: byBatch((work) => work.batchFill),
    paddingShare: byBatch((work) => work.paddingShare),
    busyShare: works.reduce((sum, work) => sum + work.busyShare, 0) / works.length,
  };
}
