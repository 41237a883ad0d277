import type { BertConfig } from './bert-config.ts';
import { weightOf, type BertWeights } from './bert-weights.ts';
import type { OnnxGraph } from './onnx-graph.ts';
import { quantizedLinear, type Quantization } from './quantized-linear.ts';

/** What every part of an encoder graph is built from. */
export interface BertBuild {
  readonly graph: OnnxGraph;
  readonly config: BertConfig;
  readonly weights: BertWeights;
  /** How the blocks' matrices become whole numbers; undefined where they stay float32. */
  readonly quantization?: Quantization | undefined;
  /** Whether the sizes of the channels come out as well: see `observedLayer`. */
  readonly observe?: boolean | undefined;
}

/** What is known of a linear layer's input, where its weights may become whole numbers. */
export interface LinearInput {
  /** The graph's input that has an entry for every row: of all tokens, or of first tokens alone. */
  readonly rows: 'ids' | 'rows';
  /** Whether it comes out of a layer norm: then few channels are much larger than the others, always the same. */
  readonly isNormed?: boolean;
  /** No number of it is below its negative, where that is known. */
  readonly leastSize?: number | undefined;
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
 *
 * @param of left out for a layer that always stays float32.
 */
export function linear(
  build: BertBuild,
  name: string,
  parts: readonly string[],
  input: string,
  of?: LinearInput,
): string {
  const { graph, weights, quantization, observe = false } = build;
  const matrices = parts.map((part) => weightOf(weights, `${part}.weight`));
  const biases = parts.map((part) => weightOf(weights, `${part}.bias`));
  const inputs = matrices[0]?.shape[1] ?? 0;
  const outputs = matrices.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const read = (): Float32Array =>
    sideBySide(
      matrices.map((matrix) => matrix.read()),
      inputs,
      outputs,
    );
  const bias = graph.floats(`${name}_bias`, [outputs], () => endToEnd(biases, outputs));
  if (observe && of?.isNormed) outputSizes(graph, name, inputs, input);
  if (quantization && of) {
    const { rows, leastSize } = of;
    const layer = { name, inputs, outputs, read, bias, rows, leastSize };
    return quantizedLinear(graph, layer, quantization, input);
  }
  const matrix = graph.floats(`${name}_weight`, [inputs, outputs], read);
  const product = graph.node(`${name}_product`, 'MatMul', [input, matrix]);
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

/** `leastSize` is how far below zero the function goes. */
const ACTIVATIONS = {
  gelu: { op: 'Gelu', domain: 'com.microsoft', leastSize: 0.17 },
  gelu_tanh: { op: 'FastGelu', domain: 'com.microsoft', leastSize: 0.1701 },
  relu: { op: 'Relu', domain: '', leastSize: 1e-12 },
} as const;

/** What follows the heads in an encoder block: output projection, residual, feed-forward, residual. */
export function afterAttention(
  build: BertBuild,
  name: string,
  block: string,
  context: string,
  input: string,
  rows: LinearInput['rows'] = 'ids',
): string {
  const { graph, config } = build;
  const attended = linear(build, `${name}_attended`, [`${block}.attention.output.dense`], context, { rows });
  const sum = graph.node(`${name}_attended_sum`, 'Add', [attended, input]);
  const middle = layerNorm(build, `${name}_middle`, `${block}.attention.output.LayerNorm`, sum);
  const wide = linear(build, `${name}_wide`, [`${block}.intermediate.dense`], middle, {
    rows,
    isNormed: true,
  });
  const { op, domain, leastSize } = ACTIVATIONS[config.activation];
  const active = graph.node(`${name}_active`, op, [wide], { domain });
  const narrow = linear(build, `${name}_narrow`, [`${block}.output.dense`], active, { rows, leastSize });
  const last = graph.node(`${name}_sum`, 'Add', [narrow, middle]);
  return layerNorm(build, name, `${block}.output.LayerNorm`, last);
}

const SIZE_SUFFIX = '_input_sizes';

/** An output `<layer>_input_sizes` float32 [inputs]: the largest size of every channel over the batch's tokens. */
function outputSizes(graph: OnnxGraph, name: string, inputs: number, input: string): void {
  const size = graph.node(`${name}_input_size`, 'Abs', [input]);
  const overTokens = { axes: { ints: [0, 1] }, keepdims: { int: 0 } };
  const largest = graph.node(`${name}${SIZE_SUFFIX}`, 'ReduceMax', [size], { attributes: overTokens });
  graph.output(largest, 'float32', [inputs]);
}

/** The linear layer whose input an output of an observed graph is of; undefined for other outputs. */
export function observedLayer(output: string): string | undefined {
  return output.endsWith(SIZE_SUFFIX) ? output.slice(0, -SIZE_SUFFIX.length) : undefined;
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
