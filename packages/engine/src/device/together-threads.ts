import { providerOf } from './provider.ts';

/** The device that runs one batch on all cores, for a farm that is idle. */
export const TOGETHER = 'cpu/*';

// The products of a short text are too small for more: measured with 2, the rest is a guess.
const MAX_THREADS = 8;

/**
 * Threads of the device `cpu/*` beside the devices named: as many as cores run, where there are several and
 * no card, which would be faster than all of them.
 */
export function togetherThreads(names: readonly string[], cores: number): number | undefined {
  if (names.some((name) => providerOf(name) !== 'cpu')) return undefined;
  const threads = Math.min(names.length, cores, MAX_THREADS);
  return threads > 1 ? threads : undefined;
}
