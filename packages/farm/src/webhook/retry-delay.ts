const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * What Standard Webhooks suggests: the first attempt at once, then after these; given up after 75 hours.
 *
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
/** Longest a receiver may ask to be left alone. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;
/** Retries of many requests that failed together are spread over this share of the delay. */
const JITTER_SHARE = 0.2;

/**
 * Time to the next attempt, in ms. A receiver's Retry-After makes it longer, never shorter.
 *
 * @param failedAttempts 1 after the first.
 * @param random from 0 to 1.
 */
export function retryDelayMs(
  delaysMs: readonly number[],
  failedAttempts: number,
  retryAfterMs: number,
  random: number,
): number {
  const delayMs = delaysMs[failedAttempts - 1] ?? delaysMs.at(-1) ?? 0;
  return Math.round(
    Math.max(delayMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)) * (1 + JITTER_SHARE * random),
  );
}

/** Retry-After, in seconds or as a date, to ms from now; 0 where it says nothing that is understood. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * SECOND_MS;
  // Date.parse reads much that is no HTTP date.
  const atMs = /^[A-Z][a-z]{2}, .{20} GMT$/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowMs);
}
