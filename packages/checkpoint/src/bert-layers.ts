import type { BertConfig } from './bert-config.ts';
import { weightOf, type BertWeights } from './bert-weights.ts';
import type { OnnxGraph } from './onnx-graph.ts';

/** What every part of an encoder graph is built from. */
export interface BertBuild {
  readonly graph: OnnxGraph;
  readonly config: BertConfig;
  readonly weights: BertWeights;
}

const EMBEDDING_TABLES = {
  words: 'embeddings.word_embeddings.weight',
  positions: 'embeddings.position_embeddings.weight',
  types: 'embeddings.token_type_embeddings.weight',
} as const;

/** Rows of one embedding table: [...shape of indices, hidden]. */
export function lookUp(build: BertBuild, table: keyof typeof EMBEDDING_TABLES, indices: string): string {
  const { graph, weights } = build;
  const name = EMBEDDING_TABLES[table];
  const { shape, read } = weightOf(weights, name);
  const inputs = [graph.floats(name, shape, read), indices];
  return graph.node(`${table}_vectors`, 'Gather', inputs, { attributes: { axis: { int: 0 } } });
}

/** The vectors of words, types and positions, summed and normalized. */
export function sumEmbeddings(build: BertBuild, words: string, types: string, positions: string): string {
  const { graph } = build;
  const typed = graph.node('typed_words', 'Add', [words, types]);
  const placed = graph.node('placed_words', 'Add', [typed, positions]);
  return layerNorm(build, 'embedded', 'embeddings.LayerNorm', placed);
}

/**
 * x·W + b for one or more linear layers of the same input, their outputs side by side.
 * MatMul and Add, not Gemm: see `bertGraph`.
 */
export function linear(build: BertBuild, name: string, parts: readonly string[], input: string): string {
  const { graph, weights } = build;
  const matrices = parts.map((part) => weightOf(weights, `${part}.weight`));
  const biases = parts.map((part) => weightOf(weights, `${part}.bias`));
  const inputs = matrices[0]?.shape[1] ?? 0;
  const outputs = matrices.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const matrix = graph.floats(`${name}_weight`, [inputs, outputs], () =>
    sideBySide(
      matrices.map(({ read }) => read()),
      inputs,
      outputs,
    ),
  );
  const product = graph.node(`${name}_product`, 'MatMul', [input, matrix]);
  const bias = graph.floats(`${name}_bias`, [outputs], () => endToEnd(biases, outputs));
  return graph.node(name, 'Add', [product, bias]);
}

export function layerNorm(build: BertBuild, name: string, part: string, input: string): string {
  const { graph, config, weights } = build;
  const scale = weightOf(weights, `${part}.weight`);
  const shift = weightOf(weights, `${part}.bias`);
  const inputs = [
    input,
    graph.floats(`${name}_scale`, scale.shape, scale.read),
    graph.floats(`${name}_shift`, shift.shape, shift.read),
  ];
  return graph.node(name, 'LayerNormalization', inputs, {
    attributes: { axis: { int: -1 }, epsilon: { float: config.layerNormEpsilon } },
  });
}

const ACTIVATIONS = {
  gelu: { op: 'Gelu', domain: 'com.microsoft' },
  gelu_tanh: { op: 'FastGelu', domain: 'com.microsoft' },
  relu: { op: 'Relu', domain: '' },
} as const;

/** What follows the heads in an encoder block: output projection, residual, feed-forward, residual. */
export function afterAttention(
  build: BertBuild,
  name: string,
  block: string,
  context: string,
  input: string,
): string {
  const { graph, config } = build;
  const attended = linear(build, `${name}_attended`, [`${block}.attention.output.dense`], context);
  const sum = graph.node(`${name}_attended_sum`, 'Add', [attended, input]);
  const middle = layerNorm(build, `${name}_middle`, `${block}.attention.output.LayerNorm`, sum);
  const wide = linear(build, `${name}_wide`, [`${block}.intermediate.dense`], middle);
  const { op, domain } = ACTIVATIONS[config.activation];
  const active = graph.node(`${name}_active`, op, [wide], { domain });
  const narrow = linear(build, `${name}_narrow`, [`${block}.output.dense`], active);
  const last = graph.node(`${name}_sum`, 'Add', [narrow, middle]);
  return layerNorm(build, name, `${block}.output.LayerNorm`, last);
}

/** Matrices [out, in] as one [in, sum of out]. */
function sideBySide(matrices: readonly Float32Array[], inputs: number, outputs: number): Float32Array {
  const joined = new Float32Array(inputs * outputs);
  let column = 0;
  for (const matrix of matrices) {
    const rows = matrix.length / inputs;
    for (let row = 0; row < rows; row += 1) {
      for (let i = 0; i < inputs; i += 1) joined[i * outputs + column] = matrix[row * inputs + i] ?? 0;
      column += 1;
    }
  }
  return joined;
}

function endToEnd(vectors: readonly { read: () => Float32Array }[], length: number): Float32Array {
  const joined = new Float32Array(length);
  let end = 0;
  for (const { read } of vectors) {
    const vector = read();
    joined.set(vector, end);
    end += vector.length;
  }
  return joined;
}
