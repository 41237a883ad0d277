import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxGraph } from '@embedfarm/checkpoint/onnx-graph';
import { writeOnnxModel } from '@embedfarm/checkpoint/write-onnx-model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosine } from '../compare-rows.ts';
import { seededRandom } from '@embedfarm/testkit/seeded-random';
import { quantizeDynamically } from './dynamic-quantization.ts';

const SIZE = 64;

describe('quantizeDynamically', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedfarm-quantization-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('turns products by constants into integer ones, and leaves products of activations', () => {
    const ops = quantizeDynamically(twoProducts()).nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'MatMulInteger')).toHaveLength(2);
    expect(ops.filter((op) => op === 'MatMul')).toHaveLength(1);
  });

  it('quantizes an input of several products once, and keeps no float matrix', () => {
    const graph = quantizeDynamically(twoProducts());
    expect(graph.nodes.filter(({ op }) => op === 'DynamicQuantizeLinear')).toHaveLength(1);
    const matrices = graph.constants.filter(({ dims }) => dims.length === 2);
    expect(matrices.map(({ type }) => type)).toEqual(['int8', 'int8']);
  });

  it('runs, and gives nearly what the float graph gives', async () => {
    const random = seededRandom(3);
    const values = Float32Array.from({ length: 5 * SIZE }, () => random() - 0.5);
    const input = new Tensor('float32', values, [1, 5, SIZE]);
    const [exact, near] = await Promise.all(
      [twoProducts(), quantizeDynamically(twoProducts())].map(async (graph, index) => {
        await writeOnnxModel(folder, graph, `${index}.onnx`);
        const session = await InferenceSession.create(join(folder, `${index}.onnx`));
        const { square } = await session.run({ input });
        await session.release();
        return square?.data as Float32Array;
      }),
    );
    expect(cosine(exact ?? [], near ?? [])).toBeGreaterThan(0.999);
    expect(near).not.toEqual(exact);
  });
});

/** (x·A)·(x·B)ᵀ for x of [1, 5, 64]. */
function twoProducts(): OnnxGraph {
  const graph = new OnnxGraph('two_products');
  const input = graph.input('input', 'float32', [1, 5, SIZE]);
  const matrix = (name: string, seed: number): string =>
    graph.floats(name, [SIZE, SIZE], () => {
      const random = seededRandom(seed);
      return Float32Array.from({ length: SIZE * SIZE }, () => random() - 0.5);
    });
  const left = graph.node('left', 'MatMul', [input, matrix('a', 1)]);
  const right = graph.node('right', 'MatMul', [input, matrix('b', 2)]);
  const turned = graph.node('turned', 'Transpose', [right], { attributes: { perm: { ints: [0, 2, 1] } } });
  graph.output(graph.node('square', 'MatMul', [left, turned]), 'float32', [1, 5, 5]);
  return graph;
}
