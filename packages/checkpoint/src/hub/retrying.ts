import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import { HubError } from './hub-error.ts';

/** How patient a download is. Tests hand in a clock of their own. */
export interface HubPace {
  /** Attempts without progress before it gives up. */
  readonly attempts: number;
  /** Longest time without a byte. */
  readonly stallMs: number;
  wait(ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** 0 to 1. */
  random(): number;
}

// Waits of 0.5, 1, 2, 4 and 8 s.
export const DEFAULT_PACE: HubPace = {
  attempts: 6,
  stallMs: 30_000,
  wait: (ms, signal) => sleep(ms, undefined, signal === undefined ? undefined : { signal }),
  random: Math.random,
};

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
// The hub counts requests in windows of 300 s.
const MAX_RETRY_AFTER_MS = 300_000;
// A connection that breaks after so much was worth the attempt.
const PROGRESS_BYTES = 1 << 20;

export interface RetryOptions {
  readonly pace: HubPace;
  readonly signal: AbortSignal | undefined;
  /** What an attempt adds to; a growing number starts the count of attempts anew. */
  readonly receivedBytes?: () => number;
}

/**
 * The first attempt that goes well. Only a transient `HubError` is tried again.
 *
 * @throws FarmError the last attempt's, or `cancelled`.
 */
export async function retrying<Result>(
  attempt: () => Promise<Result>,
  { pace, signal, receivedBytes = () => 0 }: RetryOptions,
): Promise<Result> {
  for (let failed = 0, reached = receivedBytes(); ;) {
    try {
      throwIfCancelled(signal);
      return await attempt();
    } catch (thrown) {
      throwIfCancelled(signal);
      if (!(thrown instanceof HubError) || !thrown.isTransient) throw thrown;
      failed = receivedBytes() - reached >= PROGRESS_BYTES ? 1 : failed + 1;
      reached = Math.max(reached, receivedBytes());
      const { retryAfterMs = 0 } = thrown;
      if (failed >= pace.attempts || retryAfterMs > MAX_RETRY_AFTER_MS) throw givenUp(thrown, failed);
      await pace.wait(Math.max(retryAfterMs, delayMs(failed, pace.random())), signal).catch(() => undefined);
    }
  }
}

/** Doubles; half of it is left to chance, so that many workers do not come back together. */
export function delayMs(failed: number, random: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (failed - 1), MAX_DELAY_MS);
  return delay * (0.5 + random / 2);
}

/** @throws FarmError `cancelled`. */
function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new FarmError('cancelled', 'the download was cancelled', { cause: signal.reason });
  }
}

function givenUp(error: HubError, attempts: number): HubError {
  const { retryAfterMs } = error;
  const times = attempts === 1 ? '' : `, ${attempts} times`;
  const wish =
    retryAfterMs === undefined ? '' : ` (it asks to be left alone for ${Math.ceil(retryAfterMs / 1_000)} s)`;
  return new HubError(`${error.detail}${times}${wish}`, { isTransient: true, retryAfterMs, cause: error });
}
