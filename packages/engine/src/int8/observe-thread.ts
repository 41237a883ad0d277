import { parentPort } from 'node:worker_threads';
import { observedLayer } from '@embedfarm/checkpoint/bert-layers';
import type { InferenceSession } from 'onnxruntime-node';
import { joinSequences } from '../batch/sequence-batch.ts';
import { packedEncoder } from '../device/packed-encoder.ts';
import { sessionOptions } from '../device/session-options.ts';
import { answerOnce } from '../thread/run-in-thread.ts';
import type { ObserveRequest } from './observe-sizes.ts';

// The entry of a thread: observe-sizes.ts alone loads it.
if (parentPort) {
  answerOnce(parentPort, async (request) => {
    const { options, sequences } = request as ObserveRequest;
    const runtime = await import('onnxruntime-node');
    const session = await runtime.InferenceSession.create(options.modelFile, sessionOptions(options));
    const sizes = new Map<string, Float32Array>();
    const observed = Object.create(session, {
      run: {
        value: async (feeds: InferenceSession.FeedsType) => {
          const outputs = await session.run(feeds);
          noteSizes(sizes, outputs);
          return outputs;
        },
      },
    }) as InferenceSession;
    const encode = packedEncoder(observed, runtime.Tensor, options);
    for (const ids of sequences) await encode(joinSequences([ids]));
    await session.release();
    return sizes;
  });
}

/** Keeps the largest of what was seen and what a run gives. */
function noteSizes(sizes: Map<string, Float32Array>, outputs: InferenceSession.ReturnType): void {
  for (const [name, output] of Object.entries(outputs)) {
    const layer = observedLayer(name);
    const data: unknown = 'data' in output ? output.data : undefined;
    if (layer === undefined || !(data instanceof Float32Array)) continue;
    const before = sizes.get(layer);
    sizes.set(
      layer,
      data.map((size, channel) => Math.max(size, before?.[channel] ?? 0)),
    );
  }
}
