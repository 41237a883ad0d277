import { channelFactors, scaleChannels } from './channel-factors.ts';
import type { OnnxGraph } from './onnx-graph.ts';
import { quantizeColumns, type QuantizedColumns, type WeightBits } from './quantize-columns.ts';

/** The integer that stands for 0 among 0 to 255. */
const ZERO = 128;
/** The integers 1 to 255 stand for -1 to 1. */
const LEVELS = 127;
/** A row of zeros has no scale of its own. */
const SMALLEST_SCALE = 1e-12;

/** How the matrices of a graph become whole numbers. */
export interface Quantization {
  readonly weightBits: WeightBits;
  /**
   * The largest size that every input channel of a linear layer had over some texts, by the layer's name in the
   * graph: `observedSizes` gives them. Layers that are left out are taken as even.
   */
  readonly channelSizes?: ReadonlyMap<string, Float32Array> | undefined;
}

export interface LinearMatrix {
  /** Begins the names of all values. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs] */
  readonly read: () => Float32Array;
}

/**
 * x·W in whole numbers: every token by a scale of its own, every column of W by one of its own, products and
 * sums exact in 32 bits. So a token's result depends on that token alone, whatever shares the batch; the
 * runtime's own DynamicQuantizeMatMul takes one scale for the whole batch and has not that property.
 *
 * The scale of a token is its largest size: max(max x, -min x), which is 5 to 10 % faster than max |x|. The
 * product is scaled by column first and by token then.
 *
 * @param input  [1, rows, inputs]
 * @param zeros  uint8 [rows], all 128: see `zeroPoints`.
 * @returns      [1, rows, outputs], without a bias.
 */
export function quantizedProduct(
  graph: OnnxGraph,
  linear: LinearMatrix,
  { weightBits, channelSizes }: Quantization,
  input: string,
  zeros: string,
): string {
  const { name, inputs, outputs } = linear;
  const sizes = channelSizes?.get(name);
  const even = sizes === undefined ? input : evenChannels(graph, linear, sizes, input);
  const { scale, rowScales } = tokenScales(graph, name, even);
  const quantized = graph.node(`${name}_quantized`, 'QuantizeLinear', [even, rowScales, zeros], {
    attributes: { axis: { int: 1 } },
  });
  const columns = columnsOf(linear, weightBits, sizes);
  const matrix = graph.constant({
    name: `${name}_weight`,
    type: 'int8',
    dims: [inputs, outputs],
    read: () => new Uint8Array(columns().integers.buffer),
  });
  const columnScales = graph.floats(`${name}_column_scales`, [outputs], () => columns().scales);
  const factors = [unit(graph), columnScales, zeroPoint(graph)];
  const product = graph.node(`${name}_integers`, 'MatMulIntegerToFloat', [quantized, matrix, ...factors], {
    domain: 'com.microsoft',
  });
  return graph.node(`${name}_product`, 'Mul', [product, scale]);
}

/** The input with its channels at like sizes; costs 1 % of the product. */
function evenChannels(
  graph: OnnxGraph,
  { name, inputs, read }: LinearMatrix,
  sizes: Float32Array,
  input: string,
): string {
  const shrink = graph.floats(`${name}_shrink`, [inputs], () =>
    channelFactors(read(), sizes).map((factor) => 1 / factor),
  );
  return graph.node(`${name}_even`, 'Mul', [input, shrink]);
}

/** uint8 [rows], all 128, as many as `rows` has entries on its only axis. */
export function zeroPoints(graph: OnnxGraph, name: string, rows: string): string {
  const count = graph.node(`${name}_count`, 'Shape', [rows]);
  return graph.node(name, 'Expand', [zeroPoint(graph), count]);
}

/** `scale` float32 [1, rows, 1]: what 1 stands for once a row is divided by it; `rowScales` [rows]: what an integer stands for. */
function tokenScales(
  graph: OnnxGraph,
  name: string,
  input: string,
): { readonly scale: string; readonly rowScales: string } {
  const lastAxis = { axes: { ints: [-1] }, keepdims: { int: 1 } };
  const most = graph.node(`${name}_most`, 'ReduceMax', [input], { attributes: lastAxis });
  const least = graph.node(`${name}_least`, 'ReduceMin', [input], { attributes: lastAxis });
  const size = graph.node(`${name}_least_size`, 'Neg', [least]);
  const scale = graph.node(`${name}_scale`, 'Max', [most, size, smallest(graph)]);
  const step = graph.node(`${name}_step`, 'Mul', [scale, unit(graph)]);
  const flat = graph.once('flat_shape', (constant) => graph.int64s(constant, [-1]));
  return { scale, rowScales: graph.node(`${name}_row_scales`, 'Reshape', [step, flat]) };
}

function unit(graph: OnnxGraph): string {
  return graph.once('level', (name) => graph.floats(name, [], () => Float32Array.of(1 / LEVELS)));
}

function smallest(graph: OnnxGraph): string {
  return graph.once('smallest_scale', (name) =>
    graph.floats(name, [1], () => Float32Array.of(SMALLEST_SCALE)),
  );
}

function zeroPoint(graph: OnnxGraph): string {
  return graph.once('zero_point', (name) =>
    graph.constant({ name, type: 'uint8', dims: [], read: () => Uint8Array.of(ZERO) }),
  );
}

/**
 * Integers and scales are two tensors of one matrix. They are read one after the other, so the second reader
 * finds what the first one made, and nothing is kept after it.
 */
function columnsOf(
  { outputs, read }: LinearMatrix,
  bits: WeightBits,
  sizes: Float32Array | undefined,
): () => QuantizedColumns {
  let kept: QuantizedColumns | undefined;
  const make = (): QuantizedColumns => {
    const matrix = read();
    const even = sizes === undefined ? matrix : scaleChannels(matrix, channelFactors(matrix, sizes));
    return quantizeColumns(even, outputs, bits);
  };
  return () => {
    const columns = kept ?? make();
    kept = kept === undefined ? columns : undefined;
    return columns;
  };
}
