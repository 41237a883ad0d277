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

const NOT_WATCHED: LoopDelay = { p50Ms: Number.NaN, p99Ms: Number.NaN, maxMs: Number.NaN };

/** Measures the process it is in. */
export class Meter {
  readonly #engine: WorkingDevices | undefined;
  readonly #loopDelay: LoopDelayMonitor | undefined;
  #beginMs = performance.now();
  #cpu = process.cpuUsage();
  #counters: BatchCounters | undefined;

  private constructor(engine: WorkingDevices | undefined, loopDelay: LoopDelayMonitor | undefined) {
    this.#engine = engine;
    this.#loopDelay = loopDelay;
    this.#counters = engine?.counters;
  }

  static open(engine?: WorkingDevices): Meter {
    return new Meter(engine, LoopDelayMonitor.open());
  }

  /** Without an eye on the main loop, which wakes it up 500 times a second: CPU seconds are all that counts. */
  static openQuiet(engine: WorkingDevices): Meter {
    return new Meter(engine, undefined);
  }

  begin(): void {
    this.#beginMs = performance.now();
    this.#cpu = process.cpuUsage();
    this.#counters = this.#engine?.counters;
    this.#loopDelay?.reset();
  }

  /** Since `begin`. */
  read(): Usage {
    const ms = performance.now() - this.#beginMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    const usage = { cpuSeconds: (user + system) / 1e6, loopDelay: this.#loopDelay?.read() ?? NOT_WATCHED };
    if (this.#engine === undefined || this.#counters === undefined) return usage;
    const reports = this.#engine.deviceReports();
    const tokenBudget = reports[0]?.tokenBudget ?? Number.NaN;
    const size = { ms, devices: reports.length, tokenBudget };
    return { ...usage, work: deviceWork(this.#counters, this.#engine.counters, size) };
  }

  close(): void {
    this.#loopDelay?.close();
  }
}
