import { parentPort, workerData } from 'node:worker_threads';
import { answerCalls } from '@embedfarm/engine/thread/thread-call';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { chainFlops, type MatMulChain } from './mat-mul-chain.ts';

/** A chain of products in a session of one thread. */
export interface PeakThreadData {
  readonly modelFile: string;
  readonly chain: MatMulChain;
}

// The entry of a thread: peak-process.ts starts it.
const { modelFile, chain } = workerData as PeakThreadData;
const session = await InferenceSession.create(modelFile, { intraOpNumThreads: 1, interOpNumThreads: 1 });

// The runtime aborts the process when its thread is terminated in a run, so the thread is asked to end.
export type PeakThreadRequest =
  | { readonly kind: 'run'; readonly rows: number; readonly seconds: number }
  | { readonly kind: 'close' };

if (parentPort) {
  const port = parentPort;
  answerCalls(port, async (data) => {
    const request = data as PeakThreadRequest;
    if (request.kind === 'run') return { value: await gflops(request.rows, request.seconds) };
    await session.release();
    // After the answer: without its port the thread has nothing to wait for, and ends.
    setImmediate(() => port.close());
    return { value: 0 };
  });
}

/** GFLOP/s of runs within so many seconds. */
async function gflops(rows: number, seconds: number): Promise<number> {
  const values = Float32Array.from({ length: rows * chain.inner }, (_, i) => Math.sin(i));
  const input = new Tensor('float32', values, [1, rows, chain.inner]);
  await session.run({ input });
  const beginMs = performance.now();
  let runs = 0;
  let elapsedMs = 0;
  while (elapsedMs < seconds * 1_000) {
    await session.run({ input });
    runs += 1;
    elapsedMs = performance.now() - beginMs;
  }
  return (runs * chainFlops(chain, rows)) / (elapsedMs * 1e6);
}
