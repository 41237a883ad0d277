import { linear, type BertBuild } from './bert-layers.ts';
import { distanceBias } from './distance-bias.ts';
import { ONNX_TYPES } from './onnx-graph.ts';

/** Names of the values that the attention of every block shares. */
export interface AttentionSlots {
  /** The graph's input of this name. */
  readonly pad: string;
  /** What is added to the scores: the graph's input, or with the distances of slots [B, heads, S, S]. */
  readonly bias: string;
  /** int32 [B, heads, S]: rows of the projections seen as [T * 3 * heads, headSize]. */
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** int32 [T, heads]: rows of the padded context seen as [B * heads * S, headSize]. */
  readonly context: string;
  /** int32 [1]: heads. */
  readonly headCount: string;
  /** int64 [2]: the shape [-1, headSize]. */
  readonly headShape: string;
  /** int64 [3]: the shape [1, -1, hidden]. */
  readonly tokenShape: string;
}

/** The indices by which one Gather both pads (or unpads) and turns the heads outwards. */
export function attentionSlots(build: BertBuild): AttentionSlots {
  const { graph, config } = build;
  const { heads, hiddenSize, distanceBuckets = 0 } = config;
  const pad = graph.input('pad', 'int32', ['B', 1, 'S']);
  const unpad = graph.input('unpad', 'int32', ['T']);
  const mask = graph.input('bias', 'float32', ['B', 1, 1, 'S']);

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
  const bias = distanceBuckets > 0 ? distanceBias(build, mask, slots32) : mask;
  const headRows = graph.node('head_rows', 'Mul', [graph.int32s('head_row', everyHead, [1, heads]), slots32]);
  const token = graph.node('token', 'Unsqueeze', [unpad, graph.int64s('head_axis', [1])]);
  const context = graph.node('context_rows', 'Add', [token, headRows]);

  const headShape = graph.int64s('head_shape', [-1, hiddenSize / heads]);
  const tokenShape = graph.int64s('token_shape', [1, -1, hiddenSize]);
  return { pad, bias, query, key, value, context, headCount, headShape, tokenShape };
}

/** [1, T, hidden] → [1, T, hidden]: the heads' contexts, before the output projection. */
export function packedAttention(
  build: BertBuild,
  name: string,
  block: string,
  input: string,
  slots: AttentionSlots,
): string {
  const { graph } = build;
  const parts = ['query', 'key', 'value'].map((part) => `${block}.attention.self.${part}`);
  const projected = linear(build, `${name}_projected`, parts, input, {
    rows: 'ids',
    isNormed: true,
  });
  const rows = graph.node(`${name}_rows`, 'Reshape', [projected, slots.headShape]);
  const gather = (part: string, from: string, indices: string): string =>
    graph.node(`${name}_${part}`, 'Gather', [from, indices], { attributes: { axis: { int: 0 } } });
  const query = gather('query', rows, slots.query);
  const key = gather('key', rows, slots.key);
  const value = gather('value', rows, slots.value);

  const padded = attend(build, name, { query, key, value, bias: slots.bias });
  const flat = graph.node(`${name}_flat`, 'Reshape', [padded, slots.headShape]);
  const context = gather('context', flat, slots.context);
  return graph.node(`${name}_joined`, 'Reshape', [context, slots.tokenShape]);
}

/** softmax(Q·Kᵀ / √headSize + bias)·V: [rows, heads, places, headSize]. */
export function attend(
  { graph, config }: BertBuild,
  name: string,
  { query, key, value, bias }: { query: string; key: string; value: string; bias: string },
): string {
  const scale = 1 / Math.sqrt(config.hiddenSize / config.heads);
  const scores = graph.node(`${name}_scores`, 'FusedMatMul', [query, key], {
    domain: 'com.microsoft',
    attributes: { transB: { int: 1 }, alpha: { float: scale } },
  });
  const masked = graph.node(`${name}_masked`, 'Add', [scores, bias]);
  const shares = graph.node(`${name}_shares`, 'Softmax', [masked], { attributes: { axis: { int: -1 } } });
  return graph.node(`${name}_padded`, 'MatMul', [shares, value]);
}
