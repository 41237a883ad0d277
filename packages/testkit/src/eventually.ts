import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 20;

/**
 * Polls until `check` gives a truthy value, and returns it. For what happens in another process; inside one,
 * await the event itself.
 *
 * @throws Error naming `what` after `timeoutMs`, with the last error of `check` as its cause.
 */
export async function eventually<Value>(
  check: () => Value | Promise<Value>,
  { timeoutMs = 10_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<NonNullable<Value>> {
  const deadlineMs = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const value = await check();
      if (value) return value;
      cause = undefined;
    } catch (thrown) {
      cause = thrown;
    }
    await delay(POLL_INTERVAL_MS);
  } while (performance.now() < deadlineMs);
  throw new Error(`${what}: not within ${timeoutMs} ms`, { cause });
}
