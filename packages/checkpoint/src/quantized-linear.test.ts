import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OnnxGraph } from './onnx-graph.ts';
import { quantizeColumns, type WeightBits } from './quantize-columns.ts';
import { quantizedProduct, zeroPoints } from './quantized-linear.ts';
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

describe.each([8, 7] as const)('a product with weights of %i bits', (bits) => {
  const INPUTS = 64;
  const OUTPUTS = 48;
  const matrix = Float32Array.from({ length: INPUTS * OUTPUTS }, (_, i) => Math.sin(i * 12.9898) / 8);

  it('is that of the integers, scaled by column and token', async () => {
    const session = await open(matrix, INPUTS, OUTPUTS, bits);
    const input = Float32Array.from({ length: 5 * INPUTS }, (_, i) => Math.cos(i * 78.233) * (1 + (i % 7)));
    const product = await run(session, input, INPUTS);
    const expected = productOf(input, matrix, INPUTS, OUTPUTS, bits);
    expected.forEach((value, at) => expect(Math.abs((product[at] ?? Number.NaN) - value)).toBeLessThan(1e-5));
  });

  it('is within a few hundredths of the exact one, and zero for a token of zeros', async () => {
    const session = await open(matrix, INPUTS, OUTPUTS, bits);
    const input = new Float32Array(2 * INPUTS).fill(1, INPUTS);
    const product = await run(session, input, INPUTS);
    expect(product.subarray(0, OUTPUTS).every((value) => value === 0)).toBe(true);
    for (let column = 0; column < OUTPUTS; column += 1) {
      let exact = 0;
      for (let i = 0; i < INPUTS; i += 1) exact += matrix[i * OUTPUTS + column] ?? 0;
      expect(Math.abs((product[OUTPUTS + column] ?? Number.NaN) - exact)).toBeLessThan(0.05);
    }
  });
});

async function open(
  matrix: Float32Array,
  inputs: number,
  outputs: number,
  bits: WeightBits,
): Promise<InferenceSession> {
  const graph = new OnnxGraph('product');
  const input = graph.input('input', 'float32', [1, 'T', inputs]);
  const zeros = zeroPoints(graph, 'zeros', graph.input('ids', 'int32', ['T']));
  const linear = { name: 'linear', inputs, outputs, read: () => matrix };
  graph.output(quantizedProduct(graph, linear, { weightBits: bits }, input, zeros), 'float32', [
    1,
    'T',
    outputs,
  ]);
  const directory = await mkdtemp(join(tmpdir(), 'embedfarm-product-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeOnnxModel(directory, graph);
  const session = await InferenceSession.create(join(directory, 'model.onnx'));
  onTestFinished(() => session.release());
  return session;
}

async function run(session: InferenceSession, input: Float32Array, inputs: number): Promise<Float32Array> {
  const tokens = input.length / inputs;
  const { linear_product: product } = await session.run({
    input: new Tensor('float32', input, [1, tokens, inputs]),
    ids: new Tensor('int32', new Int32Array(tokens), [tokens]),
  });
  return product?.data as Float32Array;
}

/** In float64, one number after the other. */
function productOf(
  input: Float32Array,
  matrix: Float32Array,
  inputs: number,
  outputs: number,
  bits: WeightBits,
): number[] {
  const { integers, scales } = quantizeColumns(matrix, outputs, bits);
  const product: number[] = [];
  for (let at = 0; at < input.length; at += inputs) {
    const row = input.subarray(at, at + inputs);
    const scale = Math.max(...row.map(Math.abs));
    const quantized = Array.from(row, (value) =>
      roundToEven(value / Math.fround(scale * Math.fround(1 / 127))),
    );
    for (let column = 0; column < outputs; column += 1) {
      const sum = quantized.reduce((total, q, i) => total + q * (integers[i * outputs + column] ?? 0), 0);
      product.push((sum / 127) * (scales[column] ?? 0) * scale);
    }
  }
  return product;
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
