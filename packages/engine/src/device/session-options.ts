import type { InferenceSession } from 'onnxruntime-node';
import type { OnnxDeviceOptions } from './onnx-device-options.ts';
import { providerOf, type Provider } from './provider.ts';

type SessionOptions = InferenceSession.SessionOptions;

/** What a device's session is created with. */
export function sessionOptions({
  name,
  graph,
  threads = 1,
}: Pick<OnnxDeviceOptions, 'name' | 'graph' | 'threads'>): SessionOptions {
  return {
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // A plan of memory for every shape that was seen: 10 MB a session, and no faster.
    enableMemPattern: false,
    // Our own graph is in its fastest form already; optimizing it only costs start time.
    graphOptimizationLevel: graph === 'packed' ? 'disabled' : 'all',
    // Warnings are the runtime's own business (unused initializers); errors come back as exceptions.
    logSeverityLevel: 3,
    ...OPTIONS_OF[providerOf(name)](name, threads),
  };
}

// set_denormal_as_zero: exp of a masked score is a number below 1e-38, which processors handle a hundred times as
// slowly as others. It made Softmax three times as slow: 4 % of a run of MiniLM in float32, 10 % in int8.
const OPTIONS_OF: Record<Provider, (name: string, threads: number) => SessionOptions> = {
  cpu: (_, threads) => ({
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    extra: {
      session: { set_denormal_as_zero: '1', intra_op: threads === 1 ? LONE_THREAD : SHORT_SPIN },
    },
  }),

  // The card's index is all that onnxruntime-node 1.30 hands to CUDA (ParseExecutionProviders in its
  // session_options_helper.cc): gpu_mem_limit and the arena's options stay at the runtime's defaults.
  cuda: (name) => ({
    executionProviders: [{ name: 'cuda', deviceId: cardOf(name) }],
    ...HOST_SIDE,
  }),

  // It refuses any option that it does not know, deviceId among them.
  webgpu: () => ({ executionProviders: [{ name: 'webgpu' }], ...HOST_SIDE }),
};

const LONE_THREAD = { allow_spinning: '0' };
// Threads that wait for work burn their core for so long; the default burns more than the work takes.
const SHORT_SPIN = { spin_duration_us: '50' };
// What a GPU does not take (shape arithmetic) runs on the host beside it.
const HOST_SIDE: SessionOptions = {
  intraOpNumThreads: 1,
  extra: { session: { intra_op: LONE_THREAD } },
};

/** `cuda:1` → 1. */
function cardOf(name: string): number {
  return Number(name.slice(name.indexOf(':') + 1));
}
