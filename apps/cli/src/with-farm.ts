import { EmbeddingFarm } from '@embedfarm/sdk';

/** Where a farm is looked for when nobody says. */
export const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';

// A person waits at the terminal.
export const CONNECT_TIMEOUT_MS = 5_000;

/** Connects, does one thing, and closes. */
export async function withFarm<Result>(
  redis: string | undefined,
  use: (farm: EmbeddingFarm, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  return await untilInterrupted(async (signal) => {
    const url = redis ?? DEFAULT_REDIS_URL;
    const farm = await EmbeddingFarm.connect({ redis: url, timeoutMs: CONNECT_TIMEOUT_MS }, { signal });
    try {
      return await use(farm, signal);
    } finally {
      await farm.close();
    }
  });
}

/** The signal aborts on Ctrl-C; a second Ctrl-C ends the process. */
export async function untilInterrupted<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await work(interrupt.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
