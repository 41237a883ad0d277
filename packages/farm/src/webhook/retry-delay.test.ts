import { describe, expect, it } from 'vitest';
import { parseRetryAfter, RETRY_DELAYS_MS, retryDelayMs } from './retry-delay.ts';

const DAY_MS = 24 * 3_600_000;

describe('the time to the next attempt', () => {
  it('grows from seconds to a day, and is spread by a fifth', () => {
    const delays = RETRY_DELAYS_MS.map((_, index) => retryDelayMs(RETRY_DELAYS_MS, index + 1, 0, 0));
    expect(delays).toEqual(RETRY_DELAYS_MS);
    expect(delays).toEqual(delays.toSorted((one, other) => one - other));
    expect(retryDelayMs(RETRY_DELAYS_MS, 1, 0, 1)).toBe(6_000);
  });

  it('is as long as the receiver asks, but no shorter than planned and no longer than a day', () => {
    expect(retryDelayMs(RETRY_DELAYS_MS, 1, 60_000, 0)).toBe(60_000);
    expect(retryDelayMs(RETRY_DELAYS_MS, 2, 1_000, 0)).toBe(300_000);
    expect(retryDelayMs(RETRY_DELAYS_MS, 1, 400 * DAY_MS, 0)).toBe(DAY_MS);
  });

  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 59_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
    ['99999999999999999999', 0],
    [undefined, 0],
  ])('reads Retry-After: %s', (header, ms) => {
    expect(parseRetryAfter(header, 1_000)).toBe(ms);
  });
});
