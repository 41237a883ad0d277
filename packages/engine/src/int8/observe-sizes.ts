import { join } from 'node:path';
import { OBSERVED_FILE } from '@embedfarm/checkpoint/packed-model';
import { deviceOptionsOf } from '../device/device-options-of.ts';
import type { OnnxDeviceOptions } from '../device/onnx-device-options.ts';
import type { ModelSpec } from '../model/model-spec.ts';
import { runInThread } from '../thread/run-in-thread.ts';
import { Tokenizer } from '../tokenize/tokenizer.ts';
import { OBSERVING_TEXTS } from './observing-texts.ts';
import { sequencesOf } from './sequences-of.ts';

// The built file, from src/ as well as from dist/: Node 20 runs no TypeScript.
const THREAD_FILE = new URL('../../dist/int8/observe-thread.js', import.meta.url);

// 27 texts: 2 s for a BERT-base on a core.
const TIMEOUT_MS = 300_000;

/** What the thread is asked for. */
export interface ObserveRequest {
  readonly options: OnnxDeviceOptions;
  readonly sequences: readonly Int32Array[];
}

/** The largest size of every input channel, by linear layer. */
export type ChannelSizes = ReadonlyMap<string, Float32Array>;

/**
 * Runs the observed graph of a directory over some texts. In a thread of its own: the runtime blocks the one it
 * is called on.
 *
 * @param spec of a directory that was written with `observe`.
 */
export async function observeSizes(spec: ModelSpec): Promise<ChannelSizes> {
  const tokenizer = await Tokenizer.open(spec);
  const graphFile = join(spec.files.directory, OBSERVED_FILE);
  const options = { name: 'cpu/0', ...deviceOptionsOf(spec, graphFile, tokenizer) };
  const sequences = await sequencesOf(tokenizer, OBSERVING_TEXTS);
  const request: ObserveRequest = { options, sequences };
  return await runInThread(THREAD_FILE, 'observe', request, TIMEOUT_MS);
}
