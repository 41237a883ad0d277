import { FarmError } from '@embedfarm/contract';
import type { BertConfig } from './bert-config.ts';
import { afterAttention, linear, lookUp, sumEmbeddings, type BertBuild } from './bert-layers.ts';
import { checkBertWeights, type BertWeights } from './bert-weights.ts';
import { ONNX_TYPES, OnnxGraph } from './onnx-graph.ts';

/**
 * Slots a row come in fours. The runtime's Softmax without AVX sums four lanes at a time and what is left
 * over one by one, so the order of a sum, and its last bits, would hang on S: on an emulated Nehalem 106
 * of 174 rows differed (by 2e-6 at most), and none with fours. The rounding costs nothing measurable.
 */
export const SLOT_MULTIPLE = 4;

export interface BertGraphOptions {
  /** Encoder blocks to keep, 1 to `config.layers`; the output is the hidden state after the last one. */
  readonly layers?: number;
}

/**
 * A BERT encoder over packed tokens: no padding goes through a linear layer, only through attention.
 *
 * Inputs, for T tokens of B rows, S slots a row:
 * - `ids`, `positions`, `types` int32 [T]: the tokens of all rows, one row after the other.
 * - `pad` int32 [B, 1, S]: for every slot the index of its token in 0..T-1; past the row's end any index.
 * - `unpad` int32 [T]: for the token at place s of row b, `b * heads * S + s`.
 * - `bias` float32 [B, 1, 1, S]: 0 for a slot that holds a token, -1e9 past the row's end.
 *
 * Make S a multiple of `SLOT_MULTIPLE`: then a row has the same bits in every batch.
 *
 * Output: `hidden` float32 [1, T, hidden]. The leading 1 matters: the runtime turns a product of two
 * matrices of rank 2 into Gemm, which is 5 to 8 % slower on a CPU than MatMul and Add.
 *
 * Source: Devlin et al., "BERT", 2018 (https://arxiv.org/abs/1810.04805); Vaswani et al., "Attention is
 * all you need", 2017 (https://arxiv.org/abs/1706.03762), section 3.
 *
 * @throws FarmError `invalid_argument` when the weights do not fit the config, or `layers` is out of range.
 */
export function bertGraph(
  config: BertConfig,
  weights: BertWeights,
  { layers = config.layers }: BertGraphOptions = {},
): OnnxGraph {
  if (!Number.isInteger(layers) || layers < 1 || layers > config.layers) {
    throw new FarmError('invalid_argument', `layers must be 1 to ${config.layers}, got ${layers}`);
  }
  checkBertWeights(config, weights, layers);
  const build: BertBuild = { graph: new OnnxGraph('bert'), config, weights };
  let hidden = embeddings(build);
  const slots = attentionSlots(build);
  for (let layer = 0; layer < layers; layer += 1) {
    const name = layer === layers - 1 ? 'hidden' : `layer${layer}`;
    const block = `encoder.layer.${layer}`;
    const context = packedAttention(build, name, block, hidden, slots);
    hidden = afterAttention(build, name, block, context, hidden);
  }
  build.graph.output(hidden, 'float32', [1, 'T', config.hiddenSize]);
  return build.graph;
}

function embeddings(build: BertBuild): string {
  const { graph } = build;
  const axis = graph.int64s('row_axis', [0]);
  const row = (input: string): string =>
    graph.node(`${input}_row`, 'Unsqueeze', [graph.input(input, 'int32', ['T']), axis]);
  const words = lookUp(build, 'words', row('ids'));
  const positions = lookUp(build, 'positions', row('positions'));
  const types = lookUp(build, 'types', row('types'));
  return sumEmbeddings(build, words, types, positions);
}

/** Names of the values that the attention of every block shares. */
interface AttentionSlots {
  /** int32 [B, heads, S]: rows of the projections seen as [T * 3 * heads, headSize]. */
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** int32 [T, heads]: rows of the padded context seen as [B * heads * S, headSize]. */
  readonly context: string;
  /** int64 [2]: the shape [-1, headSize]. */
  readonly headShape: string;
  /** int64 [3]: the shape [1, -1, hidden]. */
  readonly tokenShape: string;
}

/** The indices by which one Gather both pads (or unpads) and turns the heads outwards. */
function attentionSlots({ graph, config }: BertBuild): AttentionSlots {
  const { heads, hiddenSize } = config;
  const pad = graph.input('pad', 'int32', ['B', 1, 'S']);
  const unpad = graph.input('unpad', 'int32', ['T']);
  graph.input('bias', 'float32', ['B', 1, 1, 'S']);

  const everyHead = Array.from({ length: heads }, (_, head) => head);
  const headCount = graph.int32s('head_count', [heads]);
  const rowsPerToken = graph.int32s('rows_per_token', [3 * heads]);
  const firstRow = graph.node('first_row', 'Mul', [pad, rowsPerToken]);
  const query = graph.node('query_rows', 'Add', [firstRow, graph.int32s('heads', everyHead, [1, heads, 1])]);
  const key = graph.node('key_rows', 'Add', [query, headCount]);
  const value = graph.node('value_rows', 'Add', [key, headCount]);

  const lastAxis = { start: { int: 2 }, end: { int: 3 } };
  const slots = graph.node('slots', 'Shape', [pad], { attributes: lastAxis });
  const slots32 = graph.node('slots_int32', 'Cast', [slots], {
    attributes: { to: { int: ONNX_TYPES.int32 } },
  });
  const headRows = graph.node('head_rows', 'Mul', [graph.int32s('head_row', everyHead, [1, heads]), slots32]);
  const token = graph.node('token', 'Unsqueeze', [unpad, graph.int64s('head_axis', [1])]);
  const context = graph.node('context_rows', 'Add', [token, headRows]);

  const headShape = graph.int64s('head_shape', [-1, hiddenSize / heads]);
  const tokenShape = graph.int64s('token_shape', [1, -1, hiddenSize]);
  return { query, key, value, context, headShape, tokenShape };
}

/** [1, T, hidden] → [1, T, hidden]: the heads' contexts, before the output projection. */
function packedAttention(
  build: BertBuild,
  name: string,
  block: string,
  input: string,
  slots: AttentionSlots,
): string {
  const { graph, config } = build;
  const parts = ['query', 'key', 'value'].map((part) => `${block}.attention.self.${part}`);
  const projected = linear(build, `${name}_projected`, parts, input);
  const rows = graph.node(`${name}_rows`, 'Reshape', [projected, slots.headShape]);
  const gather = (part: string, from: string, indices: string): string =>
    graph.node(`${name}_${part}`, 'Gather', [from, indices], { attributes: { axis: { int: 0 } } });
  const query = gather('query', rows, slots.query);
  const key = gather('key', rows, slots.key);
  const value = gather('value', rows, slots.value);

  const scale = 1 / Math.sqrt(config.hiddenSize / config.heads);
  const scores = graph.node(`${name}_scores`, 'FusedMatMul', [query, key], {
    domain: 'com.microsoft',
    attributes: { transB: { int: 1 }, alpha: { float: scale } },
  });
  const masked = graph.node(`${name}_masked`, 'Add', [scores, 'bias']);
  const shares = graph.node(`${name}_shares`, 'Softmax', [masked], { attributes: { axis: { int: -1 } } });
  const padded = graph.node(`${name}_padded`, 'MatMul', [shares, value]);
  const flat = graph.node(`${name}_flat`, 'Reshape', [padded, slots.headShape]);
  const context = gather('context', flat, slots.context);
  return graph.node(`${name}_joined`, 'Reshape', [context, slots.tokenShape]);
}
