import { afterAttention, linear, type BertBuild } from './bert-layers.ts';
import { attend, type AttentionSlots } from './packed-attention.ts';

/**
 * States of the first token of the rows that the input `rows` names: [1, R, hidden] for each pooling layer.
 * The last block is computed for these tokens alone, with the keys and values of all tokens.
 *
 * @param states [1, T, hidden] each: the embeddings, and the output of every block but the last.
 */
export function firstTokenStates(
  build: BertBuild,
  slots: AttentionSlots,
  states: readonly string[],
  { lastName, poolingLayers }: { lastName: string; poolingLayers: readonly number[] },
): string[] {
  const { graph, config } = build;
  const rows = graph.input('rows', 'int32', ['R']);
  const pad = gather(build, 'rows_pad', slots.pad, rows, 0);
  const rowsBias = gather(build, 'rows_bias', slots.bias, rows, 0);
  const bias =
    (config.distanceBuckets ?? 0) > 0
      ? gather(build, 'first_bias', rowsBias, graph.int32s('query_0', [0]), 2)
      : rowsBias;
  // The token in slot 0 of a row is its first one.
  const firstSlot = gather(build, 'first_slot', pad, graph.int32s('slot_0', [0], []), 2);
  const flat = graph.once('flat_shape', (name) => graph.int64s(name, [-1]));
  const first = graph.node('first', 'Reshape', [firstSlot, flat]);
  const firsts = new Map<number, string>();
  /** -1 for the embeddings. */
  const firstOf = (layer: number): string => {
    const state = states[layer + 1] ?? '';
    const known = firsts.get(layer) ?? gather(build, `${state}_first`, state, first, 1);
    firsts.set(layer, known);
    return known;
  };
  const last = states.length - 1;
  const input = { tokens: states[last] ?? '', first: firstOf(last - 1), pad, bias };
  firsts.set(last, lastBlock(build, lastName, `encoder.layer.${last}`, input, slots));
  return poolingLayers.map(firstOf);
}

/** tanh(x·W + b) of the states of first tokens: [1, R, hidden], the output `pooled`. */
export function pooler(build: BertBuild, first: string): string {
  return build.graph.node('pooled', 'Tanh', [linear(build, 'pooler', ['pooler.dense'], first)]);
}

function lastBlock(
  build: BertBuild,
  name: string,
  block: string,
  input: { tokens: string; first: string; pad: string; bias: string },
  { headCount, headShape, tokenShape }: AttentionSlots,
): string {
  const { graph, config } = build;
  const { heads, hiddenSize } = config;
  const attention = `${block}.attention.self`;
  const parts = [`${attention}.key`, `${attention}.value`];
  const projected = linear(build, `${name}_projected`, parts, input.tokens, {
    rows: 'ids',
    isNormed: true,
  });
  // [T * 2 * heads, headSize]: a token's keys, head by head, then its values.
  const pairs = graph.node(`${name}_rows`, 'Reshape', [projected, headShape]);
  const everyHead = Array.from({ length: heads }, (_, head) => head);
  const rowsPerPair = graph.int32s('rows_per_pair', [2 * heads]);
  const firstRow = graph.node('pair_first_row', 'Mul', [input.pad, rowsPerPair]);
  const pairHeads = graph.int32s('pair_heads', everyHead, [1, heads, 1]);
  const keyRows = graph.node('pair_key_rows', 'Add', [firstRow, pairHeads]);
  const valueRows = graph.node('pair_value_rows', 'Add', [keyRows, headCount]);
  const key = gather(build, `${name}_key`, pairs, keyRows, 0);
  const value = gather(build, `${name}_value`, pairs, valueRows, 0);

  const asked = linear(build, `${name}_asked`, [`${attention}.query`], input.first, {
    rows: 'rows',
    isNormed: true,
  });
  const queryShape = graph.int64s('query_shape', [-1, heads, 1, hiddenSize / heads]);
  const query = graph.node(`${name}_query`, 'Reshape', [asked, queryShape]);
  const context = attend(build, name, { query, key, value, bias: input.bias });
  const joined = graph.node(`${name}_joined`, 'Reshape', [context, tokenShape]);
  return afterAttention(build, name, block, joined, input.first, 'rows');
}

function gather({ graph }: BertBuild, name: string, from: string, indices: string, axis: number): string {
  return graph.node(name, 'Gather', [from, indices], { attributes: { axis: { int: axis } } });
}
