import { FarmError } from '@embedfarm/contract/farm-error';
import { providerOf, type Provider } from './provider.ts';

const PREFIX = 'devices: ';

/**
 * What a session's failure says of its provider: `invalid_argument` with what is missing and how it is
 * installed. Undefined where the model is to blame.
 */
export function providerFault(name: string, message: string): FarmError | undefined {
  const provider = providerOf(name);
  const fault = FAULTS[provider].find(({ says }) => says.test(message));
  if (fault === undefined) return undefined;
  const [firstLine = ''] = message.trim().split('\n');
  return providerRefusal(name, `${fault.means} (${firstLine})`);
}

/** `devices: cuda:0 does not …`: `auto` goes on to the next kind. */
export function providerRefusal(name: string, why: string): FarmError {
  return new FarmError('invalid_argument', `${PREFIX}${name} ${why}`);
}

/** Whether an error says that the machine lacks a provider, and nothing of the model. */
export function isProviderFault({ code, detail }: FarmError): boolean {
  return code === 'invalid_argument' && detail.startsWith(PREFIX);
}

interface Fault {
  readonly says: RegExp;
  readonly means: string;
}

/** `no available backend found` is onnxruntime-common's word for a provider that a build does not have. */
const NOT_IN_BUILD = /backend not found|is unsupported: '/i;

const FAULTS: Record<Provider, readonly Fault[]> = {
  cpu: [],

  // Without the first file the runtime names libonnxruntime_providers_shared.so on stderr, and here only
  // that a library is missing; the same message stands for a library of CUDA that is not found.
  cuda: [
    {
      says: /failed to load (shared )?library/i,
      means:
        'needs libraries that are missing. 1: the CUDA provider, which npm does not bring: ' +
        'ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node. 2: CUDA 12 (cudart, cublas, cublasLt, ' +
        "curand, cufft) and cuDNN 9, where the loader looks (LD_LIBRARY_PATH). 3: NVIDIA's driver",
    },
    {
      says: NOT_IN_BUILD,
      means: "is not in this system's build of the runtime: onnxruntime-node has CUDA for Linux on x64 alone",
    },
    {
      says: /invalid device ordinal|no CUDA-capable device|CUDA (failure|error) (100|101)\b/i,
      means: 'is no card of this machine: see nvidia-smi and CUDA_VISIBLE_DEVICES',
    },
    { says: /CUDA driver version is insufficient|CUDA (failure|error) 35\b/i, means: 'needs a newer driver' },
  ],

  webgpu: [
    {
      says: /webgpu adapter|no supported adapters|WebGpuContext/i,
      means:
        'finds no adapter. On Linux it needs the Vulkan loader (Debian: apt-get install libvulkan1) and the ' +
        "driver of a card (mesa-vulkan-drivers of Mesa 25 or later, or NVIDIA's). VK_ICD_FILENAMES names " +
        'another driver, such as a software one',
    },
    { says: NOT_IN_BUILD, means: "is not in this system's build of the runtime" },
  ],
};
