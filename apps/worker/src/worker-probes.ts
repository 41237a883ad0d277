import type { ModelRegistration } from '@embedfarm/contract';
import type { Engine } from '@embedfarm/engine/engine';
import type { FarmWorker } from '@embedfarm/farm/worker';
import type { Readiness } from '@embedfarm/service/probe';
import { serveProbes, type ProbeServer } from '@embedfarm/service/serve-probes';
import { WorkerMetrics } from './worker-metrics.ts';

/** What the probes ask of a farm worker. */
type WatchedWorker = Pick<FarmWorker, 'state' | 'heldJobs' | 'isRedisUp'>;

/** `/metrics`, `/healthz` and `/readyz` of a worker. Open before the worker is: a model may be downloaded for minutes. */
export class WorkerProbes {
  readonly metrics = new WorkerMetrics();
  #server: ProbeServer | undefined;
  #worker: WatchedWorker | undefined;
  #engine: Pick<Engine, 'counters'> | undefined;
  /** At the last batch that a device has run. */
  #lostDevices = 0;

  /** @throws FarmError `invalid_argument` when the port is taken or the address is not this machine's. */
  static async open(place: { port: number; host: string }): Promise<WorkerProbes> {
    const probes = new WorkerProbes();
    probes.#server = await serveProbes(
      { metrics: () => probes.metrics.text(), readiness: () => probes.readiness() },
      place,
    );
    return probes;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  /** The worker is open: its engine has run a batch on every device, its model is registered. */
  watch(worker: WatchedWorker, engine: Engine, registration: ModelRegistration): void {
    this.#worker = worker;
    this.#engine = engine;
    const devices = engine.deviceReports().map(({ name }) => name);
    engine.onBatch((batch) => {
      this.metrics.batchEnded(batch);
      this.#lostDevices = engine.counters.devicesLost;
    });
    this.metrics.watch(registration, devices, {
      get waitingTexts() {
        return engine.waitingTexts;
      },
      get backlogMs() {
        return engine.backlogMs;
      },
      get heldJobs() {
        return worker.heldJobs;
      },
      get devicesLost() {
        return engine.counters.devicesLost;
      },
      isRedisUp: () => worker.isRedisUp(),
    });
  }

  /** Ready is one who would take a text now. */
  async readiness(): Promise<Readiness> {
    const worker = this.#worker;
    if (!worker) return unready('starting', 'no device has encoded yet, or the model is not registered');
    if (worker.state !== 'running') return unready(worker.state, REASONS[worker.state]);
    // What was on it runs again at once, so where one can be opened the next batch is not far.
    if ((this.#engine?.counters.devicesLost ?? 0) > this.#lostDevices)
      return unready('device_lost', 'a device was lost, and none has encoded since');
    if (await worker.isRedisUp()) return { ready: true };
    return unready('redis_unavailable', 'Redis does not answer');
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}

const REASONS = {
  draining: 'the worker finishes what it has begun and takes no more',
  refused: "live workers serve another model under this one's name",
  closed: 'the worker is closed',
} as const;

function unready(reason: string, message: string): Readiness {
  return { ready: false, reason, message };
}
