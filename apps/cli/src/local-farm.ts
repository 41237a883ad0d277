import { availableParallelism } from 'node:os';
import { FarmError, type ModelRegistration } from '@embedfarm/contract';
import type { Env } from '@embedfarm/service/env';
import { freePort } from '@embedfarm/service/free-port';
import { openLocalRedis, type LocalRedis } from '@embedfarm/service/local-redis';
import type { Logger } from '@embedfarm/service/logger';
import { EMBEDDED_MODEL } from './embedded-model-name.ts';
import { WorkerProcess } from './worker-process.ts';

const DASHBOARD_PORT = 3_000;

export interface LocalFarmOptions {
  readonly settings: Env;
  /** Whether it has a page. */
  readonly dashboard: boolean;
  readonly logger: Logger;
  readonly print: (line: string) => void;
}

type Close = (options: { graceMs: number }) => Promise<void>;

/** Redis, workers and dashboard of one terminal. What was opened here ends here, last opened first. */
export class LocalFarm {
  readonly redis: LocalRedis;
  readonly registration: ModelRegistration;
  readonly workers: number;
  readonly dashboardUrl: string | undefined;
  readonly #closers: readonly Close[];
  #closing: Promise<void> | undefined;

  private constructor(
    redis: LocalRedis,
    workers: readonly [WorkerProcess, ...WorkerProcess[]],
    dashboardUrl: string | undefined,
    closers: readonly Close[],
  ) {
    this.redis = redis;
    this.registration = workers[0].registration;
    this.workers = workers.length;
    this.dashboardUrl = dashboardUrl;
    this.#closers = closers;
  }

  /** @throws FarmError `redis_unavailable`, or why a worker did not start; nothing is left running then. */
  static async open(options: LocalFarmOptions, signal: AbortSignal): Promise<LocalFarm> {
    const { settings, print, logger } = options;
    const closers: Close[] = [];
    try {
      const redis = await openLocalRedis({ url: settings.redis, print });
      closers.push(() => redis.close());
      const workers = await openWorkers(options, redis.url, closers, signal);
      if (!options.dashboard) return new LocalFarm(redis, workers, undefined, closers);
      const { openDashboard } = await import('@embedfarm/dashboard/dashboard');
      const dashboard = await openDashboard({
        redis: redis.url,
        port: settings.port ?? (await freePort(DASHBOARD_PORT)),
        ...(settings.host === undefined ? {} : { host: settings.host }),
        key: settings.dashboardKey,
        logger,
      });
      closers.push(() => dashboard.close());
      return new LocalFarm(redis, workers, dashboard.url, closers);
    } catch (thrown) {
      await closeAll(closers, 0);
      throw thrown;
    }
  }

  /** Safe to call twice. */
  close({ graceMs }: { graceMs: number }): Promise<void> {
    this.#closing ??= closeAll(this.#closers, graceMs);
    return this.#closing;
  }
}

/** Opens all at once; when one fails, the others are closed with the rest. */
async function openWorkers(
  { settings, print }: LocalFarmOptions,
  redis: string,
  closers: Close[],
  signal: AbortSignal,
): Promise<[WorkerProcess, ...WorkerProcess[]]> {
  const count = settings.workers ?? 1;
  const variables = {
    REDIS_URL: redis,
    EMBEDFARM_MODEL: settings.model ?? EMBEDDED_MODEL,
    ...(settings.hubUrl === undefined ? {} : { EMBEDFARM_HUB_URL: settings.hubUrl }),
    ...(settings.offline === undefined ? {} : { EMBEDFARM_OFFLINE: String(settings.offline) }),
    // Workers of one machine share its cores.
    ...(count > 1 && settings.devices === undefined
      ? { EMBEDFARM_DEVICES: `cpu:${Math.max(1, Math.floor(availableParallelism() / count))}` }
      : {}),
  };
  const opening = Array.from({ length: count }, (_, index) =>
    WorkerProcess.open(
      {
        title: `worker ${index + 1}`,
        variables: { ...variables, ...metricsPortOf(settings.metricsPort, index) },
        print,
      },
      signal,
    ),
  );
  const opened = await Promise.allSettled(opening);
  const workers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  // Together: each has the whole grace time.
  closers.push(async ({ graceMs }) => {
    await Promise.all(workers.map((worker) => worker.close({ graceMs })));
  });
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed) throw FarmError.from(failed.reason);
  return workers as [WorkerProcess, ...WorkerProcess[]];
}

/** Workers of one machine cannot share a port: the first has the one that is said, the next the one after it. */
function metricsPortOf(port: number | undefined, index: number): Record<string, string> {
  return port === undefined ? {} : { EMBEDFARM_METRICS_PORT: String(port === 0 ? 0 : port + index) };
}

/** Last opened first; every failure is kept. */
async function closeAll(closers: readonly Close[], graceMs: number): Promise<void> {
  const faults: unknown[] = [];
  for (const close of closers.toReversed()) {
    await close({ graceMs }).catch((fault: unknown) => faults.push(fault));
  }
  if (faults.length > 0) throw new AggregateError(faults, `not all of the farm closed: ${faults.join('; ')}`);
}
