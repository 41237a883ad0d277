import { OnnxGraph } from '@embedfarm/checkpoint/onnx-graph';
import { seededRandom } from '@embedfarm/testkit/seeded-random';

/** Products of [rows, inner]·[inner, outer] and back, as in the feed-forward part of an encoder. */
export interface MatMulChain {
  readonly inner: number;
  readonly outer: number;
}

/** So that what surrounds a product is nothing beside it. */
const PAIRS = 2;

export function chainFlops({ inner, outer }: MatMulChain, rows: number): number {
  return 2 * PAIRS * 2 * rows * inner * outer;
}

/** `input` [1, rows, inner] → [1, 1, inner] after all products; the runtime prepacks the constant matrices. */
export function matMulGraph({ inner, outer }: MatMulChain): OnnxGraph {
  const graph = new OnnxGraph('mat_mul_chain');
  let value = graph.input('input', 'float32', [1, 'rows', inner]);
  for (let pair = 0; pair < PAIRS; pair += 1) {
    for (const [way, from, to] of [
      ['out', inner, outer],
      ['back', outer, inner],
    ] as const) {
      const name = `product_${pair}_${way}`;
      const weight = graph.floats(`${name}_weight`, [from, to], () => randomMatrix(from, to));
      value = graph.node(name, 'MatMul', [value, weight]);
    }
  }
  const axes = graph.int64s('axes', [1]);
  const first = graph.int64s('first', [0]);
  const second = graph.int64s('second', [1]);
  graph.output(graph.node('output', 'Slice', [value, first, second, axes]), 'float32', [1, 1, inner]);
  return graph;
}

/** Keeps the variance of what goes through: a product of numbers that die out may run faster. */
function randomMatrix(from: number, to: number): Float32Array {
  const random = seededRandom(from);
  const width = Math.sqrt(12 / from);
  return Float32Array.from({ length: from * to }, () => (random() - 0.5) * width);
}
