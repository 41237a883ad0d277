import { FarmError } from '@embedfarm/contract';
import { allowedCores } from './allowed-cores.ts';

const MAX_DEVICES = 256;

/** The best kind that the machine has: see openDevices. */
export const AUTO = 'auto';

/** @throws FarmError `invalid_argument` for what is neither `auto` nor a list that `deviceNames` knows. */
export async function checkDevices(devices: string): Promise<void> {
  if (devices !== AUTO) await deviceNames(devices);
}

/**
 * `cpu:2,cuda:1` → `cpu/0`, `cpu/1`, `cuda:1`. `cpu` is one per core that the process may use, `cuda` is
 * `cuda:0`.
 *
 * @throws FarmError `invalid_argument` for anything else, and for a device that is named twice.
 */
export async function deviceNames(devices: string): Promise<string[]> {
  const parts = devices.split(',').map((part) => part.trim());
  const names = (await Promise.all(parts.map((part) => namesOf(devices, part)))).flat();
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) refuse(devices, `name ${twice} twice`);
  if (names.length > MAX_DEVICES) refuse(devices, `are ${names.length}`);
  return names;
}

async function namesOf(devices: string, part: string): Promise<string[]> {
  if (part === 'webgpu') return [part];
  if (part.startsWith('webgpu:'))
    refuse(devices, 'number an adapter, which the Vulkan loader alone chooses: VK_ICD_FILENAMES');
  const [, kind, digits] = /^(cpu|cuda)(?::(\d{1,3}))?$/.exec(part) ?? [];
  if (kind === 'cuda') return [`cuda:${Number(digits ?? 0)}`];
  const count = digits === undefined ? await allowedCores() : Number(digits);
  if (kind !== 'cpu' || count < 1 || count > MAX_DEVICES) refuse(devices, 'are not known');
  return Array.from({ length: count }, (_, index) => `cpu/${index}`);
}

function refuse(devices: string, what: string): never {
  throw new FarmError(
    'invalid_argument',
    `devices ${JSON.stringify(devices)} ${what}: say auto, or a list of cpu, cpu:N with N from 1 to ` +
      `${MAX_DEVICES}, cuda:0, cuda:1 and so on, webgpu`,
  );
}
