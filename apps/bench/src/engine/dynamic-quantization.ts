import { OnnxGraph, type OnnxNode, type OnnxTensor } from '@embedfarm/checkpoint/onnx-graph';

/** Largest int8 weight; the form is symmetric, so -128 is left out. */
const MAX_WEIGHT = 127;

/**
 * The graph with every product by a constant matrix in int8, as onnxruntime's `quantize_dynamic` makes the
 * `model_quantized.onnx` of Hugging Face's exports: activations are quantized as a whole when they come
 * (DynamicQuantizeLinear), weights per column, and MatMulInteger takes both. The runtime fuses the four nodes.
 *
 * Source: https://github.com/microsoft/onnxruntime, quantization/operators/matmul.py, MatMulInteger.
 */
export function quantizeDynamically(graph: OnnxGraph): OnnxGraph {
  const quantized = new OnnxGraph(graph.name);
  quantized.inputs.push(...graph.inputs);
  quantized.outputs.push(...graph.outputs);
  const constants = new Map(graph.constants.map((tensor) => [tensor.name, tensor]));
  const activations = new Set<string>();
  for (const node of graph.nodes) {
    const [input = '', weight = ''] = node.inputs;
    const matrix = node.op === 'MatMul' ? constants.get(weight) : undefined;
    if (matrix === undefined) {
      quantized.nodes.push(node);
      continue;
    }
    // One input is quantized once, for however many products.
    if (!activations.has(input)) quantizeActivation(quantized, input);
    activations.add(input);
    constants.delete(weight);
    integerProduct(quantized, node.name, input, matrix);
  }
  quantized.constants.push(...constants.values());
  return quantized;
}

function quantizeActivation(graph: OnnxGraph, input: string): void {
  const node: OnnxNode = {
    name: `${input}_quantized`,
    op: 'DynamicQuantizeLinear',
    domain: '',
    inputs: [input],
    outputs: [`${input}_quantized`, `${input}_quantized_step`, `${input}_quantized_zero`],
    attributes: {},
  };
  graph.nodes.push(node);
}

/** input · matrix, under the name that the float product had. */
function integerProduct(graph: OnnxGraph, name: string, input: string, matrix: OnnxTensor): void {
  const [rows = 0, columns = 0] = matrix.dims;
  const values = (): Float32Array => floatsOf(matrix.read());
  const weight = graph.constant({
    name: `${matrix.name}_quantized`,
    type: 'int8',
    dims: [rows, columns],
    read: () => quantizeColumns(values(), columns),
  });
  const zero = graph.constant({
    name: `${matrix.name}_quantized_zero`,
    type: 'int8',
    dims: [columns],
    read: () => new Uint8Array(columns),
  });
  const scale = graph.floats(`${matrix.name}_quantized_step`, [columns], () =>
    columnScales(values(), columns),
  );
  const sums = graph.node(`${name}_integer`, 'MatMulInteger', [
    `${input}_quantized`,
    weight,
    `${input}_quantized_zero`,
    zero,
  ]);
  const float = graph.node(`${name}_float`, 'Cast', [sums], { attributes: { to: { int: 1 } } });
  const scales = graph.node(`${name}_scales`, 'Mul', [`${input}_quantized_step`, scale]);
  graph.node(name, 'Mul', [float, scales]);
}

/** What an int8 step is worth in each column. */
function columnScales(matrix: Float32Array, columns: number): Float32Array {
  const scales = new Float32Array(columns);
  for (let i = 0; i < matrix.length; i += 1) {
    const column = i % columns;
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(matrix[i] ?? 0));
  }
  return scales.map((largest) => (largest === 0 ? 1 : largest / MAX_WEIGHT));
}

function quantizeColumns(matrix: Float32Array, columns: number): Uint8Array {
  const scales = columnScales(matrix, columns);
  const steps = Int8Array.from(matrix, (value, i) => Math.round(value / (scales[i % columns] ?? 1)));
  return new Uint8Array(steps.buffer);
}

function floatsOf({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}
