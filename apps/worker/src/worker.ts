import { parseOptions, type DeviceReport, type ModelRegistration } from '@embedfarm/contract';
import type { BatchCounters } from '@embedfarm/engine/batch/batcher';
import type { DeviceChoice } from '@embedfarm/engine/device/open-devices';
import { Engine } from '@embedfarm/engine/engine';
import { modelName } from '@embedfarm/engine/model/model-name';
import { FarmWorker, type WorkerState } from '@embedfarm/farm/worker';
import type { Logger } from '@embedfarm/service/logger';
import { onceATenth } from './once-a-tenth.ts';
import { engineOptionsOf, webhooksOf, workerOptionsSchema, type WorkerOptions } from './worker-options.ts';

export type { WorkerOptions } from './worker-options.ts';

/** A worker that pulls jobs. */
export interface RunningWorker {
  readonly workerId: string;
  readonly registration: ModelRegistration;
  readonly state: WorkerState;
  /** What its devices have done since the start. */
  readonly counters: BatchCounters;
  deviceReports(): DeviceReport[];
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
      deviceReports: engine.deviceReports.bind(engine),
      throughput: engine.throughput.bind(engine),
      get backlogMs() {
        return engine.backlogMs;
      },
      get waitingTexts() {
        return engine.waitingTexts;
      },
    };
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
        ...(signal === undefined ? {} : { signal }),
      },
    );
    logger?.info({ workerId: farmWorker.workerId, ...registration }, 'worker is ready');
    let closing: Promise<void> | undefined;
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
      close: (closeOptions) => (closing ??= closeBoth(farmWorker, engine, closeOptions)),
    };
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
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
