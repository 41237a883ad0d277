import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { writeOnnxModel } from '@embedfarm/checkpoint/write-onnx-model';
import { ThreadCalls } from '@embedfarm/engine/thread/thread-call';
import { serveBench } from '../serve-bench.ts';
import { matMulGraph, type MatMulChain } from './mat-mul-chain.ts';
import type { PeakThreadData, PeakThreadRequest } from './peak-thread.ts';

/** What the process that measures the machine can be asked. */
export interface PeakCalls {
  ready: { request: object; answer: null };
  /** GFLOP/s of a chain on so many threads at once, all of them together. */
  peak: { request: PeakRequest; answer: number };
}

export interface PeakRequest {
  readonly rows: number;
  readonly inner: number;
  readonly outer: number;
  readonly threads: number;
  readonly seconds: number;
}

interface OpenChain {
  readonly key: string;
  readonly workers: readonly ThreadCalls[];
}

const MARGIN_MS = 60_000;

/** Keeps the threads of the last chain. */
class PeakRunner {
  readonly #folder: string;
  #open: OpenChain | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async handle(request: { kind: 'ready' } | ({ kind: 'peak' } & PeakRequest)): Promise<number | null> {
    if (request.kind === 'ready') return null;
    const { rows, inner, outer, threads, seconds } = request;
    const workers = await this.#openChain({ inner, outer }, threads);
    const parts = await askAll(workers, { kind: 'run', rows, seconds });
    return parts.reduce((sum, part) => sum + part, 0);
  }

  async close(): Promise<void> {
    const workers = this.#open?.workers ?? [];
    this.#open = undefined;
    // One that is lost has ended.
    await askAll(workers, { kind: 'close' }).catch(() => undefined);
  }

  async #openChain(chain: MatMulChain, threads: number): Promise<OpenChain['workers']> {
    const key = JSON.stringify([chain, threads]);
    if (this.#open?.key === key) return this.#open.workers;
    await this.close();
    const file = `${chain.inner}x${chain.outer}.onnx`;
    await writeOnnxModel(this.#folder, matMulGraph(chain), file);
    const workerData: PeakThreadData = { modelFile: join(this.#folder, file), chain };
    const workers = Array.from({ length: threads }, () => {
      const thread = new Worker(new URL('./peak-thread.js', import.meta.url), { workerData });
      return new ThreadCalls(thread, 'a thread of the peak');
    });
    this.#open = { key, workers };
    return workers;
  }
}

function askAll(workers: readonly ThreadCalls[], request: PeakThreadRequest): Promise<number[]> {
  const seconds = request.kind === 'run' ? request.seconds : 0;
  const timeoutMs = seconds * 1_000 + MARGIN_MS;
  return Promise.all(workers.map((calls) => calls.call<number>(request, { timeoutMs })));
}

// The entry of a process: measured-process.ts starts it.
await serveBench('peak', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'embedfarm-peak-'));
  const runner = new PeakRunner(folder);
  return {
    runner,
    async close() {
      await runner.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
