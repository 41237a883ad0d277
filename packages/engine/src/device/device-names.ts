import { FarmError } from '@embedfarm/contract';
import { allowedCores } from './allowed-cores.ts';

const MAX_DEVICES = 256;

/**
 * `cpu:2` → `cpu/0`, `cpu/1`; `cpu` is one per core that the process may use.
 *
 * @throws FarmError `invalid_argument` for anything else.
 */
export async function deviceNames(devices: string): Promise<string[]> {
  const match = /^cpu(?::(\d{1,3}))?$/.exec(devices);
  const count = match?.[1] === undefined ? await allowedCores() : Number(match[1]);
  if (!match || count < 1 || count > MAX_DEVICES) {
    throw new FarmError(
      'invalid_argument',
      `devices ${JSON.stringify(devices)} are not known: this version runs cpu, or cpu:N with N from 1 to ${MAX_DEVICES}`,
    );
  }
  return Array.from({ length: count }, (_, index) => `cpu/${index}`);
}
