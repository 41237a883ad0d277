import { FarmError } from '@embedfarm/contract';
import type { Load } from '../queue/chunk-load.ts';
import type { AdmissionAnswer, AdmissionStatus, FullThing } from '../redis/admission.ts';

/** Earlier is no use: a batch takes about as long. Later than a minute nobody waits. */
const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 60_000;
/** `drainedTexts` are those of this long. */
const DRAIN_MS = 10_000;

/** Who waits asks again after this, and up to as much later as the jitter. */
const POLL_MS = 250;
const POLL_JITTER_MS = 750;

/** What a caller wants done where the farm is full: to be told at once, or to wait to the deadline. */
export type WhenOverloaded = 'reject' | 'wait';

/** When who waits for room asks again, in ms from now. */
export function pollAfterMs(): number {
  return POLL_MS + Math.random() * POLL_JITTER_MS;
}

/**
 * Why there is no room, and when to come back: after as long as the farm, at its pace of the last
 * 10 s, takes to settle what is too much.
 */
export function overloaded(answer: AdmissionAnswer, full: FullThing, wanted: Load): FarmError {
  const { farm, drainedTexts } = answer;
  const retryAfterMs = retryAfter(excessTexts(farm, full, wanted), drainedTexts);
  return new FarmError('overloaded', `${describe(farm, full, wanted)}; come back in ${retryAfterMs} ms`, {
    retryAfterMs,
  });
}

/** `invalid_argument` when even an empty farm has no room for `load`, so that coming back is no use. */
export function neverFits(load: Load, farm: AdmissionStatus): FarmError | undefined {
  if (load.texts > farm.maxTexts) {
    return new FarmError('invalid_argument', `${load.texts} texts at once, limit is ${farm.maxTexts}`);
  }
  if (load.bytes > farm.maxBytes) {
    return new FarmError(
      'invalid_argument',
      `texts and their results take ${load.bytes} bytes at once, limit is ${farm.maxBytes}`,
    );
  }
  return undefined;
}

function excessTexts(farm: AdmissionStatus, full: FullThing, wanted: Load): number {
  // Bytes drain with the texts that hold them.
  const bytesPerText = farm.texts > 0 ? Math.max(1, farm.bytes / farm.texts) : 1;
  switch (full) {
    case 'texts':
      return farm.texts + wanted.texts - farm.maxTexts;
    case 'bytes':
      return (farm.bytes + wanted.bytes - farm.maxBytes) / bytesPerText;
    case 'memory':
      return (farm.memory.usedBytes - farm.memory.stopBytes) / bytesPerText;
  }
}

function retryAfter(texts: number, drainedTexts: number): number {
  if (drainedTexts === 0) return MAX_RETRY_MS;
  const ms = Math.ceil((texts * DRAIN_MS) / drainedTexts);
  return Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, ms));
}

function describe(farm: AdmissionStatus, full: FullThing, wanted: Load): string {
  switch (full) {
    case 'texts':
      return `the farm holds ${farm.texts} texts, with ${wanted.texts} more the limit of ${farm.maxTexts} is passed`;
    case 'bytes':
      return `the farm holds ${farm.bytes} bytes, with ${wanted.bytes} more the limit of ${farm.maxBytes} is passed`;
    case 'memory':
      return (
        `Redis uses ${farm.memory.usedBytes} of its ${farm.memory.maxBytes} bytes, ` +
        `above ${farm.memory.stopBytes} nothing is taken`
      );
  }
}
