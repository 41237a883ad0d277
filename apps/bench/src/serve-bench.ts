import { answerCalls } from '@embedfarm/engine/thread/thread-call';
import { createLogger, type Logger } from '@embedfarm/service/logger';
import { runService } from '@embedfarm/service/run-service';

/** Answers what the bench asks. */
export interface Runner {
  handle(request: never): Promise<unknown>;
}

/** What a process opens for the bench. */
export interface Served {
  readonly runner: Runner;
  close(): Promise<void>;
}

/**
 * The life of a measured process: opens, answers the bench, and closes when it is told to or the bench is
 * gone. Its options are its first argument, as JSON.
 */
export async function serveBench<Options>(
  name: string,
  open: (options: Options, call: { signal: AbortSignal; logger: Logger }) => Promise<Served>,
): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '{}') as Options;
  const logger = createLogger({ name: `bench-${name}`, level: 'warn' });
  process.exitCode = await runService(
    async (signal) => {
      const opening = open(options, { signal, logger });
      // The protocol of the engine's threads, over the channel of a process.
      answerCalls(
        {
          postMessage: (message) => process.send?.(message),
          on: (event, listener) => process.on(event, listener),
        },
        async (request) => ({
          value: await (await opening).runner.handle(request as never),
        }),
      );
      const served = await opening;
      // What it opened may be idle without a thread or a connection; the bench may still ask.
      process.channel?.ref();
      return {
        close: () => {
          process.channel?.unref();
          return served.close();
        },
      };
    },
    { logger },
  );
}
