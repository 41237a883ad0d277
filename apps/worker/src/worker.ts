import { parseOptions, type DeviceReport, type ModelRegistration } from '@embedfarm/contract';
import type { BatchCounters } from '@embedfarm/engine/batch/batcher';
import type { DeviceChoice } from '@embedfarm/engine/device/open-devices';
import { Engine } from '@embedfarm/engine/engine';
import { modelName } from '@embedfarm/engine/model/model-name';
import { FarmWorker, type JobEvents, type WorkerState } from '@embedfarm/farm/worker';
import type { Logger } from '@embedfarm/service/logger';
import { JobLog } from './job-log.ts';
import { JobTraces } from './job-traces.ts';
import { onceATenth } from './once-a-tenth.ts';
import {
  engineOptionsOf,
  webhooksOf,
  workerOptionsSchema,
  type ResolvedWorkerOptions,
  type WorkerOptions,
} from './worker-options.ts';
import { WorkerProbes } from './worker-probes.ts';

export type { WorkerOptions } from './worker-options.ts';

/** A worker that pulls jobs. */
export interface RunningWorker {
  readonly workerId: string;
  readonly registration: ModelRegistration;
  readonly state: WorkerState;
  /** What its devices have done since the start. */
  readonly counters: BatchCounters;
  deviceReports(): DeviceReport[];
  /** Where its `/metrics` is; undefined where no port was said. */
  readonly metricsUrl: string | undefined;
  /** Drains: begun jobs may finish for `graceMs` (default 90,000), others go back to the queue. Safe to call twice. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * Opens the engine, registers its model, and pulls. Waits for Redis as long as `signal` lets it.
 *
 * @throws FarmError `invalid_argument` naming a broken option or model file; `model_changed` when
 * live workers serve something else under the name; `cancelled`.
 */
export async function openWorker(
  options: WorkerOptions,
  { logger, signal }: { logger?: Logger; signal?: AbortSignal } = {},
): Promise<RunningWorker> {
  const resolved = parseOptions('worker options', workerOptionsSchema, options);
  const { metricsPort: port, metricsHost: host } = resolved;
  const probes = port === undefined ? undefined : await WorkerProbes.open({ port, host });
  if (probes) logger?.info({ url: probes.url }, 'metrics are served');
  try {
    return await openParts(resolved, { logger, signal, probes });
  } catch (thrown) {
    await probes?.close();
    throw thrown;
  }
}

interface Surroundings {
  readonly logger: Logger | undefined;
  readonly signal: AbortSignal | undefined;
  readonly probes: WorkerProbes | undefined;
}

async function openParts(
  resolved: ResolvedWorkerOptions,
  { logger, signal, probes }: Surroundings,
): Promise<RunningWorker> {
  const { redis, prefix, name } = resolved;
  const webhooks = webhooksOf(resolved);
  const tellDownload = onceATenth((percent) => logger?.info({ percent }, 'downloading the model, once'));
  const tellConversion = onceATenth((percent) => logger?.info({ percent }, 'converting the model, once'));
  const engine = await Engine.open(engineOptionsOf(resolved), {
    ...(signal === undefined ? {} : { signal }),
    onDownload: ({ doneBytes, totalBytes }) => tellDownload(doneBytes, totalBytes),
    onConvert: ({ done, total }) => tellConversion(done, total),
    onNotice: (notice) => logger?.warn(notice),
    onDevices: (choice) => tellDevices(logger, choice),
  });
  try {
    const model = name ?? modelName(resolved.model);
    const registration = { model, ...engine.registration };
    // Here, and nowhere else, engine meets farm.
    const encoder = {
      encode: engine.encode.bind(engine),
      onBatchEnd: engine.onChange.bind(engine),
      onBatch: engine.onBatch.bind(engine),
      deviceReports: engine.deviceReports.bind(engine),
      throughput: engine.throughput.bind(engine),
      get backlogMs() {
        return engine.backlogMs;
      },
      get waitingTexts() {
        return engine.waitingTexts;
      },
    };
    const log = logger && new JobLog(logger);
    const traces = resolved.otel ? openTraces(registration, logger) : undefined;
    const farmWorker = await FarmWorker.open(
      registration,
      encoder,
      {
        redis,
        ...(prefix === undefined ? {} : { prefix }),
        ...(webhooks === undefined ? {} : { webhooks }),
      },
      {
        onFault: (what, fault) => logger?.warn({ err: fault }, what),
        ...jobEvents(log, probes, traces),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    probes?.watch(farmWorker, engine, registration);
    logger?.info({ workerId: farmWorker.workerId, ...registration }, 'worker is ready');
    let closing: Promise<void> | undefined;
    const close = async (closeOptions?: { graceMs?: number }): Promise<void> => {
      try {
        await closeBoth(farmWorker, engine, closeOptions);
      } finally {
        log?.close();
        await probes?.close();
      }
    };
    return {
      workerId: farmWorker.workerId,
      registration,
      get state() {
        return farmWorker.state;
      },
      get counters() {
        return engine.counters;
      },
      deviceReports: encoder.deviceReports,
      metricsUrl: probes?.url,
      close: (closeOptions) => (closing ??= close(closeOptions)),
    };
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}

function openTraces(registration: ModelRegistration, logger: Logger | undefined): JobTraces {
  if (!JobTraces.hasSdk)
    logger?.warn(
      'otel is on, but no OpenTelemetry SDK is loaded: start node with --import, see docs/metrics.md',
    );
  return new JobTraces(registration);
}

/** Nothing is told where nobody listens. */
function jobEvents(
  log: JobLog | undefined,
  probes: WorkerProbes | undefined,
  traces: JobTraces | undefined,
): JobEvents {
  if (!log && !probes && !traces) return {};
  return {
    onJobEnd: (end) => {
      log?.jobEnded(end);
      probes?.metrics.jobEnded(end);
      traces?.jobEnded(end);
    },
    ...(probes ? { onCacheLookup: (counts) => probes.metrics.cacheLookedUp(counts) } : {}),
  };
}

/** What `auto` passed over is worth a warning where nothing but the cores is left. */
function tellDevices(logger: Logger | undefined, { names, notes }: DeviceChoice): void {
  const devices = names.join(', ');
  if (notes.length === 0) logger?.info({ devices }, 'devices are open');
  else if (names.some((name) => !name.startsWith('cpu/')))
    logger?.info({ devices, notes }, 'auto chose devices');
  else logger?.warn({ devices, notes }, 'auto falls back to cpu');
}

async function closeBoth(
  farmWorker: FarmWorker,
  engine: Engine,
  options: { graceMs?: number } | undefined,
): Promise<void> {
  try {
    await farmWorker.close(options);
  } finally {
    await engine.close();
  }
}
