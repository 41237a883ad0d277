import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { channelFactors, scaleChannels } from './channel-factors.ts';
import { OnnxGraph } from './onnx-graph.ts';
import { quantizeColumns, type WeightBits } from './quantize-columns.ts';
import { quantizedLinear, type Quantization } from './quantized-linear.ts';
import { writeOnnxModel } from './write-onnx-model.ts';

describe('quantizeColumns', () => {
  it.each([
    [8, 127],
    [7, 63],
  ] as const)('of %i bits keeps every number to half a step of its column', (bits, most) => {
    const finite = fc.float({ min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 6, maxLength: 6 }), (numbers) => {
        const matrix = Float32Array.from(numbers);
        const { integers, scales } = quantizeColumns(matrix, 2, bits);
        matrix.forEach((number, at) => {
          const scale = scales[at % 2] ?? Number.NaN;
          const integer = integers[at] ?? Number.NaN;
          expect(Math.abs(integer)).toBeLessThanOrEqual(most);
          expect(Math.abs(integer * scale - number)).toBeLessThanOrEqual(scale * 0.5001 + 1e-42);
        });
      }),
    );
  });

  it('gives the largest number of a column the largest integer, and zeros to a column of zeros', () => {
    const { integers, scales } = quantizeColumns(Float32Array.of(-2, 0, 1, 0), 2, 8);
    expect([...integers]).toEqual([-127, 0, 64, 0]);
    expect(scales[0]).toBe(Math.fround(2 / 127));
    expect(scales[1]).toBe(1);
  });
});

// Sums of 64 products of float32.
const TOLERANCE = 2e-5;

const INPUTS = 64;
const OUTPUTS = 48;
const matrix = Float32Array.from({ length: INPUTS * OUTPUTS }, (_, i) => Math.sin(i * 12.9898) / 8);
const bias = Float32Array.from({ length: OUTPUTS }, (_, column) => column / 10);

describe.each([8, 7] as const)('a layer with weights of %i bits', (weightBits) => {
  it('is the product of the integers, scaled by column and token, and the bias', async () => {
    const input = Float32Array.from({ length: 5 * INPUTS }, (_, i) => Math.cos(i * 78.233) * (1 + (i % 7)));
    const output = await run({ weightBits }, input);
    const expected = outputOf(input, matrix, weightBits, (row) => Math.max(...row.map(Math.abs)));
    expect(largestDifference(output, expected)).toBeLessThan(TOLERANCE);
  });

  it('takes the size that no number goes below for the scale of what is smaller', async () => {
    const input = new Float32Array(INPUTS).fill(0.01);
    const output = await run({ weightBits }, input, 0.17);
    const expected = outputOf(input, matrix, weightBits, () => 0.17);
    expect(largestDifference(output, expected)).toBeLessThan(TOLERANCE);
  });

  it('of which the channels are known has a scale for each, and cuts off what is far larger', async () => {
    const sizes = Float32Array.from({ length: INPUTS }, (_, channel) => (channel === 3 ? 20 : 1));
    const factors = channelFactors(matrix, sizes);
    const input = Float32Array.from({ length: 3 * INPUTS }, (_, i) => Math.cos(i * 78.233));
    input[3] = 19;
    input[INPUTS + 5] = 1e6;
    const output = await run({ weightBits, channelSizes: new Map([['layer', sizes]]) }, input);
    const even = input.map((value, at) => Math.max(-1, Math.min(1, value / factors[at % INPUTS]!)));
    const expected = outputOf(even, scaleChannels(matrix, factors), weightBits, () => 1);
    expect(largestDifference(output, expected)).toBeLessThan(TOLERANCE);
  });

  it('is near the exact one, and the bias alone for a token of zeros', async () => {
    const input = new Float32Array(2 * INPUTS).fill(1, INPUTS);
    const output = await run({ weightBits }, input);
    expect(output.subarray(0, OUTPUTS)).toEqual(bias);
    for (let column = 0; column < OUTPUTS; column += 1) {
      let exact = bias[column]!;
      for (let i = 0; i < INPUTS; i += 1) exact += matrix[i * OUTPUTS + column]!;
      expect(Math.abs(output[OUTPUTS + column]! - exact)).toBeLessThan(0.05);
    }
  });
});

describe('channelFactors', () => {
  it('brings what was seen between -1 and 1, and channels nearer to each other', () => {
    const sizes = Float32Array.from({ length: INPUTS }, (_, channel) => 1 + channel);
    const even = sizes.map((size, channel) => size / channelFactors(matrix, sizes)[channel]!);
    expect(Math.max(...even)).toBeLessThan(1);
    expect(Math.max(...even)).toBeGreaterThan(0.9);
    expect(Math.max(...even) / Math.min(...even)).toBeLessThan(8);
  });
});

async function run(
  quantization: Quantization,
  input: Float32Array,
  leastSize?: number,
): Promise<Float32Array> {
  const graph = new OnnxGraph('layer');
  const x = graph.input('input', 'float32', [1, 'T', INPUTS]);
  const rows = graph.input('ids', 'int32', ['T']);
  const layer = {
    name: 'layer',
    inputs: INPUTS,
    outputs: OUTPUTS,
    read: () => matrix,
    bias: graph.floats('bias', [OUTPUTS], () => bias),
    rows,
    leastSize,
  };
  graph.output(quantizedLinear(graph, layer, quantization, x), 'float32', [1, 'T', OUTPUTS]);
  const directory = await mkdtemp(join(tmpdir(), 'embedfarm-layer-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeOnnxModel(directory, graph);
  const session = await InferenceSession.create(join(directory, 'model.onnx'));
  onTestFinished(() => session.release());
  const tokens = input.length / INPUTS;
  const feeds = {
    input: new Tensor('float32', input, [1, tokens, INPUTS]),
    // Where the channels are known nothing asks for the rows.
    ...(session.inputNames.includes('ids') && { ids: new Tensor('int32', new Int32Array(tokens), [tokens]) }),
  };
  return (await session.run(feeds))['layer']?.data as Float32Array;
}

function largestDifference(output: Float32Array, expected: readonly number[]): number {
  const differences = expected.map((value, at) => Math.abs((output[at] ?? Number.NaN) - value));
  return output.length === expected.length ? Math.max(...differences) : Number.NaN;
}

/** In float64, one number after the other. `sizeOf` gives what 127 stands for in a row. */
function outputOf(
  input: Float32Array,
  weights: Float32Array,
  bits: WeightBits,
  sizeOf: (row: Float32Array) => number,
): number[] {
  const { integers, scales } = quantizeColumns(weights, OUTPUTS, bits);
  const output: number[] = [];
  for (let at = 0; at < input.length; at += INPUTS) {
    const row = input.subarray(at, at + INPUTS);
    const size = Math.fround(sizeOf(row));
    const step = Math.fround(size * Math.fround(1 / 127));
    const quantized = Array.from(row, (value) => roundToEven(value / step));
    for (let column = 0; column < OUTPUTS; column += 1) {
      const sum = quantized.reduce((total, q, i) => total + q * integers[i * OUTPUTS + column]!, 0);
      output.push((sum / 127) * scales[column]! * size + bias[column]!);
    }
  }
  return output;
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
