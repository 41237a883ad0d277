import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { answerOnce } from '../thread/run-in-thread.ts';
import { PREPACKED_DATA_FILE, PREPACKED_GRAPH_FILE, type PrepackRequest } from './prepack-graph.ts';

// Smaller ones stay in the graph's own file.
const MIN_EXTERNAL_BYTES = '1024';

// The entry of a thread: prepack-graph.ts alone loads it.
if (parentPort) {
  answerOnce(parentPort, async (request) => {
    const { modelFile, folder } = request as PrepackRequest;
    const runtime = await import('onnxruntime-node');
    const session = await runtime.InferenceSession.create(modelFile, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 3,
      optimizedModelFilePath: join(folder, PREPACKED_GRAPH_FILE),
      // https://github.com/microsoft/onnxruntime/blob/main/include/onnxruntime/core/session/onnxruntime_session_options_config_keys.h
      extra: {
        session: {
          optimized_model_external_initializers_file_name: PREPACKED_DATA_FILE,
          optimized_model_external_initializers_min_size_in_bytes: MIN_EXTERNAL_BYTES,
          save_external_prepacked_constant_initializers: '1',
        },
      },
    });
    await session.release();
  });
}
