import { FarmError } from '@embedfarm/contract';

/**
 * Waits for a promise no longer than the caller wants. What it waited for goes on unheard.
 *
 * @throws what `onDeadline` makes after `timeoutMs`; FarmError `cancelled` on abort.
 */
export async function withDeadline<Value>(
  promise: Promise<Value>,
  { signal, timeoutMs }: { signal?: AbortSignal | undefined; timeoutMs?: number | undefined },
  onDeadline: () => FarmError,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    if (timeoutMs !== undefined) timer = setTimeout(() => reject(onDeadline()), timeoutMs);
    abort = () => reject(new FarmError('cancelled', 'the call was aborted', { cause: signal?.reason }));
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
    if (abort) signal?.removeEventListener('abort', abort);
  }
}

/** What a step with Redis ends with that got none in time. */
export function noAnswer(): FarmError {
  return new FarmError('redis_unavailable', 'Redis does not answer');
}
