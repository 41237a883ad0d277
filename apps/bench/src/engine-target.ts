import { loadResult, type LoadResult } from './load-result.ts';
import { MeasuredProcess } from './measured-process.ts';
import type { WorkloadSpec } from './workload.ts';

/** A bulk call's cost, and its vectors' digest. */
export interface BulkResult {
  readonly load: LoadResult;
  readonly digest: string;
}

/** The engine in a process of its own, without Redis. */
export class EngineTarget {
  readonly #process: MeasuredProcess;

  private constructor(process: MeasuredProcess) {
    this.#process = process;
  }

  static async open(options: { model: string; devices: string }, signal: AbortSignal): Promise<EngineTarget> {
    return new EngineTarget(await MeasuredProcess.open('engine', options, signal));
  }

  async bulk(workload: WorkloadSpec): Promise<BulkResult> {
    await this.#process.call('meterBegin', {});
    const { seconds, tokens, digest } = await this.#process.call('bulk', { workload });
    const usage = await this.#process.call('meterRead', {});
    const load = { seconds, texts: workload.texts, tokens };
    return { load: loadResult(load, usage, { engine: usage.cpuSeconds }), digest };
  }

  /** One text at a time. @returns ms per call. */
  singles(workload: WorkloadSpec, calls: number): Promise<number[]> {
    return this.#process.call('singles', { workload, calls });
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}
