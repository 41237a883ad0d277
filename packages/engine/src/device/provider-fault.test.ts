import { FarmError } from '@embedfarm/contract';
import { describe, expect, it } from 'vitest';
import { isProviderFault, providerFault } from './provider-fault.ts';

// As onnxruntime-node 1.30.0 says them; those of CUDA with a card by its source.
const NO_LIBRARY = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library';
const NO_ADAPTER =
  '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 … was false. ' +
  'Failed to get a WebGPU adapter: No supported adapters\n';
const NO_BACKEND = 'no available backend found. ERR: [cuda] backend not found.';

describe('providerFault', () => {
  it.each([
    ['cuda:0', NO_LIBRARY, /ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node.*CUDA 12.*cuDNN 9/],
    ['cuda:0', NO_BACKEND, /Linux on x64/],
    ['cuda:3', 'CUDA failure 101: invalid device ordinal ; GPU=3', /cuda:3 is no card.*CUDA_VISIBLE_DEVICES/],
    ['webgpu', NO_ADAPTER, /libvulkan1.*VK_ICD_FILENAMES/],
  ])('says what %s lacks, and how to get it', (name, message, expected) => {
    const fault = providerFault(name, message);
    expect(fault).toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringMatching(expected) as string,
    });
    expect(fault?.detail).toContain(name);
    expect(fault?.detail).not.toContain('\n');
    expect(isProviderFault(fault as FarmError)).toBe(true);
  });

  it.each([
    ['cpu/0', NO_LIBRARY],
    ['cuda:0', 'Protobuf parsing failed.'],
    ['webgpu', 'Could not find an implementation for MatMul(13)'],
  ])('leaves the fault of a model alone (%s)', (name, message) => {
    expect(providerFault(name, message)).toBeUndefined();
  });
});

describe('isProviderFault', () => {
  it('is false for what a model or a run failed with', () => {
    expect(isProviderFault(new FarmError('invalid_argument', 'model.onnx: Protobuf parsing failed.'))).toBe(
      false,
    );
    expect(isProviderFault(new FarmError('internal', 'devices: odd'))).toBe(false);
  });
});
