import { readFile } from 'node:fs/promises';
import type { ProcessMemory } from './contender-calls.ts';

/** Of this process; null where the kernel is not Linux. */
export async function readMemory(): Promise<ProcessMemory | null> {
  const rollup = await readFile('/proc/self/smaps_rollup', 'utf8').catch(() => undefined);
  return rollup === undefined ? null : parseRollup(rollup);
}

/**
 * @param rollup the text of `smaps_rollup`: lines like `Rss:  1234 kB`.
 *
 * Source: https://www.kernel.org/doc/html/latest/filesystems/proc.html (kB are 1,024 bytes).
 */
export function parseRollup(rollup: string): ProcessMemory {
  const bytesOf = (name: string): number =>
    1_024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? Number.NaN);
  return {
    residentBytes: bytesOf('Rss'),
    anonymousBytes: bytesOf('Anonymous'),
    proportionalBytes: bytesOf('Pss'),
  };
}
