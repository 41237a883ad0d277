import type { ModelRegistration, WorkerReport } from '@embedfarm/contract';
import os from 'node:os';
import type { Encoder } from './encoder.ts';

/** What a worker says of itself with each heartbeat, as its process and its engine are now. */
export function workerReport(
  { model, fingerprint }: ModelRegistration,
  encoder: Encoder,
  own: Pick<WorkerReport, 'workerId' | 'state' | 'startedAtMs'>,
): WorkerReport {
  return {
    ...own,
    host: os.hostname(),
    pid: process.pid,
    model,
    fingerprint,
    devices: encoder.deviceReports(),
    ...encoder.throughput(),
    waitingTexts: encoder.waitingTexts,
    residentBytes: process.memoryUsage.rss(),
  };
}
