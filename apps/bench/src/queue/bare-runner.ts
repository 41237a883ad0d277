import type { EncodeJob } from '@embedfarm/contract';
import { JOB_TERMS } from '@embedfarm/farm/producer';
import { Queue, Worker } from 'bullmq';
import type { Meter, Usage } from '../meter.ts';
import { shortText } from './short-texts.ts';
import { TIMED_MODEL } from './timed-encoder.ts';

/** Jobs of the farm's size, and workers as the farm has for them. */
export interface BareDrain {
  readonly jobs: number;
  readonly textsPerJob: number;
  readonly workers: number;
  /** Of each worker. */
  readonly concurrency: number;
  /** As bulk jobs of the farm have. */
  readonly priority?: number;
}

/** What the bench asks a process with BullMQ alone, and what comes back. */
export interface BareCalls {
  ready: { request: object; answer: null };
  meterBegin: { request: object; answer: null };
  meterRead: { request: object; answer: Usage };
  fill: { request: BareDrain; answer: null };
  /** Takes all that `fill` put there. @returns seconds. */
  drain: { request: BareDrain; answer: number };
}
type BareRequest = {
  [Kind in keyof BareCalls]: { kind: Kind } & BareCalls[Kind]['request'];
}[keyof BareCalls];

const QUEUE = 'bare';
const PREFIX = '{bare}';
const SLICE_JOBS = 64;

/** BullMQ alone: jobs with the farm's data and options, workers that return null. */
export class BareRunner {
  readonly #connection: { readonly url: string; readonly maxRetriesPerRequest: null };
  readonly #meter: Meter;
  #requests = 0;

  constructor(redis: string, meter: Meter) {
    this.#connection = { url: redis, maxRetriesPerRequest: null };
    this.#meter = meter;
  }

  async handle(request: BareRequest): Promise<BareCalls[keyof BareCalls]['answer']> {
    switch (request.kind) {
      case 'ready':
        return null;
      case 'meterBegin':
        this.#meter.begin();
        return null;
      case 'meterRead':
        return this.#meter.read();
      case 'fill':
        await this.#fill(request);
        return null;
      case 'drain':
        return this.#drain(request);
    }
  }

  async #fill({ jobs, textsPerJob, priority }: BareDrain): Promise<void> {
    const queue = new Queue(QUEUE, { connection: this.#connection, prefix: PREFIX });
    try {
      for (let done = 0; done < jobs; done += SLICE_JOBS) {
        const slice = Array.from({ length: Math.min(SLICE_JOBS, jobs - done) }, () => {
          this.#requests += 1;
          const data = jobOf(this.#requests, textsPerJob);
          const opts = {
            ...JOB_TERMS,
            jobId: data.requestId,
            ...(priority === undefined ? {} : { priority }),
          };
          return { name: 'encode', data, opts };
        });
        await queue.addBulk(slice);
      }
    } finally {
      await queue.close();
    }
  }

  async #drain({ jobs, workers: count, concurrency }: BareDrain): Promise<number> {
    const connection = this.#connection;
    const workers = Array.from(
      { length: count },
      () => new Worker(QUEUE, async () => null, { connection, prefix: PREFIX, concurrency, autorun: false }),
    );
    try {
      await Promise.all(workers.map((worker) => worker.waitUntilReady()));
      const beginMs = performance.now();
      await new Promise<void>((resolve, reject) => {
        let left = jobs;
        for (const worker of workers) {
          worker.on('completed', () => {
            left -= 1;
            if (left === 0) resolve();
          });
          worker.on('error', reject);
          worker.run().catch(reject);
        }
      });
      return (performance.now() - beginMs) / 1_000;
    } finally {
      await Promise.all(workers.map((worker) => worker.close()));
    }
  }
}

function jobOf(request: number, texts: number): EncodeJob {
  return {
    version: 1,
    requestId: `0-0123456789abcdef01-${request.toString(36)}`,
    chunkIndex: 0,
    clientId: '0123456789abcdef01',
    model: TIMED_MODEL.model,
    fingerprint: TIMED_MODEL.fingerprint,
    texts: Array.from({ length: texts }, (_, index) => shortText(index)),
    options: { dtype: 'float32', truncate: 'end' },
    tracked: false,
    awaited: true,
    deadlineMs: Date.now() + 600_000,
    resultTtlMs: 600_000,
  };
}
