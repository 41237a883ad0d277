import type { BatchCounters } from '@embedfarm/engine/batch/batcher';

/** What the devices of an engine did in a while. */
export interface DeviceWork {
  readonly batches: number;
  readonly tokensPerBatch: number;
  /** Share of the token budget that a batch fills. */
  readonly batchFill: number;
  /** Share of the attention slots that hold no token. */
  readonly paddingShare: number;
  /** Share of the time in which a device runs, over all of them. */
  readonly busyShare: number;
}

/** From the engine's sums before and after. */
export function deviceWork(
  before: BatchCounters,
  after: BatchCounters,
  { ms, devices, tokenBudget }: { ms: number; devices: number; tokenBudget: number },
): DeviceWork {
  const batches = after.batches - before.batches;
  const tokens = after.tokens - before.tokens;
  const slotTokens = after.slotTokens - before.slotTokens;
  const tokensPerBatch = batches === 0 ? 0 : tokens / batches;
  return {
    batches,
    tokensPerBatch,
    batchFill: tokensPerBatch / tokenBudget,
    paddingShare: slotTokens === 0 ? 0 : 1 - tokens / slotTokens,
    // A batch that ran across the first moment counts as a whole.
    busyShare: Math.min(1, (after.deviceBusyMs - before.deviceBusyMs) / (ms * devices)),
  };
}
