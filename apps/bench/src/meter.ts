import type { DeviceReport } from '@embedfarm/contract';
import type { BatchCounters } from '@embedfarm/engine/batch/batcher';
import { deviceWork, type DeviceWork } from './device-work.ts';
import { LoopDelayMonitor, type LoopDelay } from './loop-delay.ts';

/** What a process used between two moments. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly loopDelay: LoopDelay;
  /** Of a process with an engine. */
  readonly work?: DeviceWork;
}

/** An engine, or a worker that has one. */
export interface WorkingDevices {
  readonly counters: BatchCounters;
  deviceReports(): DeviceReport[];
}

/** Measures the process it is in. */
export class Meter {
  readonly #engine: WorkingDevices | undefined;
  readonly #loopDelay: LoopDelayMonitor;
  #beginMs = performance.now();
  #cpu = process.cpuUsage();
  #counters: BatchCounters | undefined;

  private constructor(engine: WorkingDevices | undefined, loopDelay: LoopDelayMonitor) {
    this.#engine = engine;
    this.#loopDelay = loopDelay;
    this.#counters = engine?.counters;
  }

  static open(engine?: WorkingDevices): Meter {
    return new Meter(engine, LoopDelayMonitor.open());
  }

  begin(): void {
    this.#beginMs = performance.now();
    this.#cpu = process.cpuUsage();
    this.#counters = this.#engine?.counters;
    this.#loopDelay.reset();
  }

  /** Since `begin`. */
  read(): Usage {
    const ms = performance.now() - this.#beginMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    const usage = { cpuSeconds: (user + system) / 1e6, loopDelay: this.#loopDelay.read() };
    if (this.#engine === undefined || this.#counters === undefined) return usage;
    const reports = this.#engine.deviceReports();
    const tokenBudget = reports[0]?.tokenBudget ?? Number.NaN;
    const size = { ms, devices: reports.length, tokenBudget };
    return { ...usage, work: deviceWork(this.#counters, this.#engine.counters, size) };
  }

  close(): void {
    this.#loopDelay.close();
  }
}
