import { FarmError } from '@embedfarm/contract';
import { AUTO, deviceNames } from './device-names.ts';
import type { MachineFacts } from './machine-facts.ts';

/** Which devices run, and why `auto` took none that are faster. */
export interface DeviceChoice {
  /** `cpu/0`, `cuda:0`, … */
  readonly names: readonly string[];
  /** A sentence for each kind that was passed over; none where devices were named. */
  readonly notes: readonly string[];
}

/**
 * Opens the devices that are named. For `auto` the best kind that opens: CUDA's cards, then WebGPU on
 * hardware, then the cores.
 *
 * @throws FarmError `invalid_argument` for names that are not known and providers that do not load; what
 *   `open` throws.
 */
export async function openDevices<Pool>(
  devices: string,
  open: (names: readonly string[]) => Promise<Pool>,
  readFacts: () => Promise<MachineFacts>,
): Promise<{ pool: Pool; choice: DeviceChoice }> {
  if (devices !== AUTO) {
    const names = await deviceNames(devices);
    return { pool: await open(names), choice: { names, notes: [] } };
  }
  const plan = planAuto(await readFacts());
  const notes = [...plan.notes];
  for (const kind of plan.tries) {
    const names = await deviceNames(kind);
    try {
      return { pool: await open(names), choice: { names, notes } };
    } catch (thrown) {
      notes.push(`${kind}: ${FarmError.from(thrown).detail}`);
    }
  }
  const names = await deviceNames('cpu');
  return { pool: await open(names), choice: { names, notes } };
}

/** What `auto` tries before the cores, best first, and why it does not try the rest. */
export function planAuto({ hasCudaProvider, cudaCards, hasAdapter }: MachineFacts): {
  readonly tries: readonly string[];
  readonly notes: readonly string[];
} {
  const tries: string[] = [];
  const notes: string[] = [];
  if (cudaCards === 0) notes.push('cuda: no NVIDIA card is visible');
  else if (!hasCudaProvider) {
    notes.push(
      'cuda: its provider is not installed (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node)',
    );
  } else {
    tries.push(Array.from({ length: cudaCards }, (_, card) => `cuda:${card}`).join(','));
  }
  if (hasAdapter) tries.push('webgpu');
  else notes.push('webgpu: no graphics hardware is visible');
  return { tries, notes };
}
