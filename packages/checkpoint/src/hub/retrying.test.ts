import { describe, expect, it } from 'vitest';
import { HubError, readRetryAfter } from './hub-error.ts';
import { hastyPace } from './hub-server.fixture.ts';
import { delayMs, retrying } from './retrying.ts';

const MIB = 1 << 20;

describe('Retries', () => {
  it('wait twice as long each time up to 30 s, and up to half of it by chance', () => {
    expect([1, 2, 3, 4].map((failed) => delayMs(failed, 1))).toEqual([500, 1_000, 2_000, 4_000]);
    expect(delayMs(50, 1)).toBe(30_000);
    expect(delayMs(2, 0)).toBe(500);
  });

  it('end after so many attempts, and say how many', async () => {
    const waits: number[] = [];
    const failing = () => Promise.reject(new HubError('no luck', { isTransient: true }));
    const retried = retrying(failing, { pace: hastyPace(waits), signal: undefined });
    await expect(retried).rejects.toThrow('no luck, 4 times');
    expect(waits).toEqual([500, 1_000, 2_000]);
  });

  it('begin to count anew after a MiB of progress', async () => {
    const received = [MIB, 2 * MIB, 3 * MIB, 4 * MIB, 5 * MIB, 5 * MIB + 1, 5 * MIB + 2, 5 * MIB + 3];
    let bytes = 0;
    let attempts = 0;
    const failing = () => {
      bytes = received[attempts++] ?? bytes;
      return Promise.reject(new HubError('broken', { isTransient: true }));
    };
    const options = { pace: hastyPace(), signal: undefined, receivedBytes: () => bytes };
    await expect(retrying(failing, options)).rejects.toThrow('broken');
    expect(attempts).toBe(8);
  });

  it('wait as long as they are told, but not for more than 5 minutes', async () => {
    const waits: number[] = [];
    const told = [20_000, 300_000, 300_001];
    const failing = () =>
      Promise.reject(new HubError('busy', { isTransient: true, retryAfterMs: told.shift() }));
    const retried = retrying(failing, { pace: hastyPace(waits), signal: undefined });
    await expect(retried).rejects.toThrow('left alone for 301 s');
    expect(waits).toEqual([20_000, 300_000]);
  });

  it('are not made of what will not pass', async () => {
    let attempts = 0;
    const failing = () => {
      attempts += 1;
      return Promise.reject(new HubError('no such model'));
    };
    const retried = retrying(failing, { pace: hastyPace(), signal: undefined });
    await expect(retried).rejects.toThrow('no such model');
    expect(attempts).toBe(1);
  });

  it('end where the signal aborts while they wait', async () => {
    const interrupt = new AbortController();
    const pace = {
      ...hastyPace(),
      wait: () => {
        interrupt.abort();
        return Promise.reject(new Error('aborted'));
      },
    };
    const failing = () => Promise.reject(new HubError('busy', { isTransient: true }));
    const retried = retrying(failing, { pace, signal: interrupt.signal });
    await expect(retried).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('How long a hub wants to be left alone', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ ratelimit: '"api";r=0;t=55', 'retry-after': '1' }, 55_000],
    [{ ratelimit: '"api";r=489;t=189' }, undefined],
    [{}, undefined],
  ])('is read from %j', (headers, ms) => {
    expect(readRetryAfter(new Headers(headers), now)).toBe(ms);
  });
});
