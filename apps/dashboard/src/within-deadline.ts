import { FarmError } from '@embedfarm/contract';

/**
 * The work's outcome, or a rejection when it has none in time or nobody wants it any more. The work
 * itself goes on: who hands it in lets go of what it holds.
 *
 * @throws FarmError `deadline_exceeded` naming the work and the limit; `cancelled` on abort.
 */
export async function withinDeadline<T>(
  what: string,
  work: Promise<T>,
  { deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new FarmError('deadline_exceeded', `${what} took longer than ${deadlineMs} ms`));
    }, deadlineMs);
    onAbort = () => {
      reject(new FarmError('cancelled', `${what} was given up`));
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
