import { FarmError } from '@embedfarm/contract';
import { runInThread } from '../thread/run-in-thread.ts';

/** What `prepackGraph` writes. */
export const PREPACKED_GRAPH_FILE = 'model.onnx';
export const PREPACKED_DATA_FILE = 'weights.bin';

// The built file, from src/ as well as from dist/: Node 20 runs no TypeScript.
const THREAD_FILE = new URL('../../dist/device/prepack-thread.js', import.meta.url);

// A BERT-large of 1.3 GB takes 10 s; a slow disk may take minutes.
const TIMEOUT_MS = 600_000;

/** What the thread is asked for. */
export interface PrepackRequest {
  readonly modelFile: string;
  readonly folder: string;
}

/**
 * Loads a graph for the CPU and writes it into `folder` with its weights as the kernels laid them out. In a
 * thread of its own: the runtime blocks the one it is called on.
 *
 * @throws FarmError `invalid_argument` for a file that is no model; `internal` where it cannot be written.
 */
export async function prepackGraph(modelFile: string, folder: string): Promise<void> {
  const request: PrepackRequest = { modelFile, folder };
  try {
    await runInThread(THREAD_FILE, 'prepack', request, TIMEOUT_MS);
  } catch (thrown) {
    const { code, detail } = FarmError.from(thrown);
    throw new FarmError(code, `${modelFile}: ${detail}`, { cause: thrown });
  }
}
