import type { BertConfig } from './bert-config.ts';
import { afterAttention, linear, lookUp, sumEmbeddings, type BertBuild } from './bert-layers.ts';
import type { BertWeights } from './bert-weights.ts';
import { ONNX_TYPES, OnnxGraph } from './onnx-graph.ts';

export interface PlainBertGraphOptions {
  /** Whether the graph has an input `token_type_ids`; without it every type is 0. */
  readonly tokenTypes: boolean;
}

/**
 * A BERT encoder in the form of an ordinary Hugging Face export: int64 `input_ids`, `attention_mask`
 * and, if wanted, `token_type_ids` of shape [batch, sequence] → `last_hidden_state`
 * [batch, sequence, hidden].
 */
export function plainBertGraph(
  config: BertConfig,
  weights: BertWeights,
  { tokenTypes }: PlainBertGraphOptions,
): OnnxGraph {
  const build: BertBuild = { graph: new OnnxGraph('plain_bert'), config, weights };
  const { graph } = build;
  let hidden = embeddings(build, tokenTypes);
  const bias = maskBias(graph);
  const shapes = headShapes(build);
  for (let layer = 0; layer < config.layers; layer += 1) {
    const name = layer === config.layers - 1 ? 'last_hidden_state' : `layer${layer}`;
    const block = `encoder.layer.${layer}`;
    const context = paddedAttention(build, name, block, hidden, { bias, ...shapes });
    hidden = afterAttention(build, name, block, context, hidden);
  }
  graph.output(hidden, 'float32', ['batch', 'sequence', config.hiddenSize]);
  return graph;
}

const INPUT_SHAPE = ['batch', 'sequence'] as const;

function embeddings(build: BertBuild, tokenTypes: boolean): string {
  const { graph } = build;
  const ids = graph.input('input_ids', 'int64', INPUT_SHAPE);
  const types = tokenTypes
    ? graph.input('token_type_ids', 'int64', INPUT_SHAPE)
    : graph.node('no_types', 'Mul', [ids, graph.int64s('zero', [0], [])]);
  const scalar = graph.int64s('scalar_shape', []);
  const lastAxis = { start: { int: 1 }, end: { int: 2 } };
  const length = graph.node('sequence_shape', 'Shape', [ids], { attributes: lastAxis });
  const limit = graph.node('sequence', 'Reshape', [length, scalar]);
  const places = graph.node('places', 'Range', [
    graph.int64s('first_place', [0], []),
    limit,
    graph.int64s('place_step', [1], []),
  ]);
  const words = lookUp(build, 'words', ids);
  const typeVectors = lookUp(build, 'types', types);
  return sumEmbeddings(build, words, typeVectors, lookUp(build, 'positions', places));
}

/** 0 for a token, a large negative number for padding: [batch, 1, 1, sequence]. */
function maskBias(graph: OnnxGraph): string {
  const mask = graph.input('attention_mask', 'int64', INPUT_SHAPE);
  const axes = graph.int64s('mask_axes', [1, 2]);
  const wide = graph.node('mask_wide', 'Unsqueeze', [mask, axes]);
  const float = graph.node('mask_float', 'Cast', [wide], {
    attributes: { to: { int: ONNX_TYPES.float32 } },
  });
  const one = graph.floats('one', [], () => Float32Array.of(1));
  const padding = graph.node('padding', 'Sub', [one, float]);
  const low = graph.floats('low', [], () => Float32Array.of(-1e9));
  return graph.node('mask_bias', 'Mul', [padding, low]);
}

interface AttentionValues {
  readonly bias: string;
  /** [0, 0, heads, headSize]; a 0 keeps the dimension. */
  readonly split: string;
  /** [0, 0, hidden]. */
  readonly joined: string;
  /** 1 / √headSize. */
  readonly scale: string;
}

function headShapes({ graph, config }: BertBuild): Omit<AttentionValues, 'bias'> {
  const { heads, hiddenSize } = config;
  const headSize = hiddenSize / heads;
  return {
    split: graph.int64s('split_shape', [0, 0, heads, headSize]),
    joined: graph.int64s('joined_shape', [0, 0, hiddenSize]),
    scale: graph.floats('scale', [], () => Float32Array.of(1 / Math.sqrt(headSize))),
  };
}

function paddedAttention(
  build: BertBuild,
  name: string,
  block: string,
  input: string,
  { bias, split, joined, scale }: AttentionValues,
): string {
  const { graph } = build;
  const heads = (part: string, order: readonly number[]): string => {
    const projected = linear(build, `${name}_${part}`, [`${block}.attention.self.${part}`], input);
    const apart = graph.node(`${name}_${part}_heads`, 'Reshape', [projected, split]);
    return graph.node(`${name}_${part}_turned`, 'Transpose', [apart], {
      attributes: { perm: { ints: order } },
    });
  };
  const query = heads('query', [0, 2, 1, 3]);
  const key = heads('key', [0, 2, 3, 1]);
  const value = heads('value', [0, 2, 1, 3]);
  const products = graph.node(`${name}_products`, 'MatMul', [query, key]);
  const scores = graph.node(`${name}_scores`, 'Mul', [products, scale]);
  const masked = graph.node(`${name}_masked`, 'Add', [scores, bias]);
  const shares = graph.node(`${name}_shares`, 'Softmax', [masked], { attributes: { axis: { int: -1 } } });
  const context = graph.node(`${name}_context`, 'MatMul', [shares, value]);
  const turned = graph.node(`${name}_context_turned`, 'Transpose', [context], {
    attributes: { perm: { ints: [0, 2, 1, 3] } },
  });
  return graph.node(`${name}_joined`, 'Reshape', [turned, joined]);
}
