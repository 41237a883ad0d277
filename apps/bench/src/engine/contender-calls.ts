import type { WorkloadSpec } from '../workload.ts';

/** Texts of a workload, given to an encoder in calls of so many, one after the other. */
export interface ContenderLoad {
  readonly workload: WorkloadSpec;
  readonly callTexts: number;
}

export interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** What a process holds, as Linux counts it. */
export interface ProcessMemory {
  readonly residentBytes: number;
  /** Of no file: heaps, buffers, and copies of weights. */
  readonly anonymousBytes: number;
  /** Resident, a page that is mapped twice counted once. */
  readonly proportionalBytes: number;
}

/** What a contender can be asked. */
export interface ContenderCalls {
  ready: { request: object; answer: null };
  measure: { request: { load: ContenderLoad }; answer: Measured };
  /** One vector per text. */
  vectors: { request: { texts: readonly string[] }; answer: number[][] };
  /** null where there is no /proc. */
  memory: { request: object; answer: ProcessMemory | null };
}
