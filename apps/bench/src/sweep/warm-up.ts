import type { WorkloadSpec } from '../workload.ts';
import type { SweepFarm } from './sweep-farm.ts';

// Enough for code, caches and connections to be warm.
const MIN_TEXTS = 32;

/** One client's calls, the first of which compiles code and allocates buffers. @returns texts/s of the second. */
export async function warmUp(
  farm: SweepFarm,
  model: string,
  { texts, ...workload }: WorkloadSpec,
): Promise<number> {
  const callTexts = Math.max(MIN_TEXTS, Math.floor(texts / 4));
  const call = { model, clients: 1, callTexts, calls: 1, workload: { ...workload, texts: callTexts } };
  await farm.calls(call);
  return (await farm.calls(call)).textsPerSecond;
}
