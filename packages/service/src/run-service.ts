import type { Logger } from 'pino';

/** What a process runs. */
export interface Service {
  /** Drains for up to `graceMs`, then releases everything. */
  close(options: { graceMs: number }): Promise<void>;
  /** Settles when it ends by itself; rejects when it ended badly. */
  readonly closed?: Promise<void>;
}

export interface RunServiceOptions {
  readonly logger: Logger;
  /** How long work in flight may take to finish after SIGTERM, in milliseconds. Default: 90,000. */
  readonly graceMs?: number;
}

// After its grace a service still closes connections and threads.
const CLOSE_TIMEOUT_MS = 15_000;

// One Ctrl-C under npm arrives twice: from the terminal, and from npm, which passes it on. A person who
// means it presses again later.
const SAME_SIGNAL_MS = 500;

/**
 * One service from start to exit. SIGTERM, SIGINT, or the death of a parent that started us with a channel,
 * closes it once; a second signal ends the process with 1. So does an error that nobody caught. A service
 * that ends by itself is closed too.
 *
 * @param open gets a signal that aborts when the process is told to stop before it is up.
 * @returns the exit code.
 */
export async function runService(
  open: (signal: AbortSignal) => Promise<Service>,
  { logger, graceMs = 90_000 }: RunServiceOptions,
): Promise<number> {
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const release = listenForEnd(stop, logger);
  try {
    const service = await open(stop.signal).catch((error: unknown) => {
      // Told to stop while it was starting: that start fails, as it should.
      if (stop.signal.aborted) return undefined;
      throw error;
    });
    if (service === undefined) return 0;
    const faults: unknown[] = [];
    const keep = (error: unknown) => faults.push(error);
    await Promise.race([stopped, service.closed ?? stopped]).catch(keep);
    const late = setTimeout(() => {
      logger.fatal({ graceMs }, 'not closed after its grace time');
      process.exit(1);
    }, graceMs + CLOSE_TIMEOUT_MS);
    await service.close({ graceMs }).catch(keep);
    clearTimeout(late);
    if (faults.length === 1) throw faults[0];
    if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('; '));
    return 0;
  } finally {
    release();
  }
}

/** @returns a function that takes all listeners away again. */
function listenForEnd(stop: AbortController, logger: Logger): () => void {
  let firstSignalAtMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (firstSignalAtMs !== undefined) {
      if (nowMs - firstSignalAtMs < SAME_SIGNAL_MS) return;
      logger.warn({ signal }, 'second signal: leaving at once');
      process.exit(1);
    }
    firstSignalAtMs = nowMs;
    logger.info({ signal }, 'closing');
    stop.abort();
  };
  const onOrphaned = () => {
    if (stop.signal.aborted) return;
    logger.warn('the process that started this one is gone: closing');
    stop.abort();
  };
  const onFault = (err: unknown) => {
    logger.fatal({ err }, 'an error that nobody caught');
    process.exit(1);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('disconnect', onOrphaned);
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
  // The channel alone must not keep the process.
  process.channel?.unref();
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('disconnect', onOrphaned);
    process.off('uncaughtException', onFault);
    process.off('unhandledRejection', onFault);
  };
}
