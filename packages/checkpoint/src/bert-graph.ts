import { FarmError } from '@embedfarm/contract';
import type { BertConfig } from './bert-config.ts';
import { afterAttention, type BertBuild } from './bert-layers.ts';
import { checkBertWeights, type BertWeights } from './bert-weights.ts';
import { familyOf } from './family/family-of.ts';
import { firstTokenStates, pooler } from './first-tokens.ts';
import { OnnxGraph } from './onnx-graph.ts';
import { attentionSlots, packedAttention } from './packed-attention.ts';
import { packedEmbeddings } from './packed-embeddings.ts';
import { resolvePoolingLayers, type GraphOutput } from './pooling.ts';
import type { Quantization } from './quantized-linear.ts';

export interface BertGraphOptions {
  /** Encoder blocks to keep at most, 1 to `config.layers`. Default: up to the highest one that is pooled. */
  readonly layers?: number;
  /**
   * Blocks whose states come out side by side on the last axis, in this order: places in the list of block
   * outputs, negative ones from its end. Default: the last block that is kept. `pooled` takes none.
   */
  readonly poolingLayers?: readonly number[];
  /** `tokens` by default. */
  readonly output?: GraphOutput;
  /** Keeps the matrices of the blocks in whole numbers: see `quantizedLinear`. Float32 by default. */
  readonly quantization?: Quantization | undefined;
  /** Adds outputs with the sizes of the linear layers' channels, which a quantization may use: see `observedLayer`. */
  readonly observe?: boolean;
}

/**
 * A BERT encoder over packed tokens: no padding goes through a linear layer, only through attention. It
 * ends at the highest block that is pooled. The other families are the same graph: what sets them apart is
 * in its constants (the first row of positions, a single token type), but for MPNet's `distanceBias`.
 *
 * Inputs, for T tokens of B rows, S slots a row:
 * - `ids`, `positions` int32 [T]: the tokens of all rows, one row after the other; a row's positions begin at 0.
 * - `types` int32 [T], where the model has several token types.
 * - `pad` int32 [B, 1, S]: for every slot the index of its token in 0..T-1; past the row's end any index.
 * - `unpad` int32 [T]: for the token at place s of row b, `b * heads * S + s`.
 * - `bias` float32 [B, 1, 1, S]: 0 for a slot that holds a token, -1e9 past the row's end.
 * - `rows` int32 [R], for the outputs `first` and `pooled` only: the rows that come out, 2 at least.
 *
 * Make S a multiple of `SLOT_MULTIPLE`: then a row has the same bits in every batch.
 *
 * Output, by `options.output` and n pooling layers:
 * - `tokens`: `hidden` float32 [1, T, n * hidden].
 * - `first`: `hidden` float32 [1, R, n * hidden], of the rows' first tokens. The last block computes no more:
 *   13 % less work for 6 blocks of 384.
 * - `pooled`: `pooled` float32 [1, R, hidden], the first tokens of the model's last block, a linear layer and tanh.
 *
 * The leading 1 matters: the runtime turns a product of two matrices of rank 2 into Gemm, which is 5 to 8 %
 * slower on a CPU than MatMul and Add. So does R > 1: one row alone may run in another kernel, which sums in
 * another order.
 *
 * Source: Devlin et al., "BERT", 2018 (https://arxiv.org/abs/1810.04805); Vaswani et al., "Attention is
 * all you need", 2017 (https://arxiv.org/abs/1706.03762), section 3.
 *
 * @throws FarmError `invalid_argument` when the weights do not fit the config, or layers are out of range.
 */
export function bertGraph(
  config: BertConfig,
  weights: BertWeights,
  options: BertGraphOptions = {},
): OnnxGraph {
  const { output = 'tokens', quantization, observe } = options;
  const { layers, poolingLayers } = graphLayers(config, options);
  checkBertWeights(config, weights, layers, { pooler: output === 'pooled' });
  const build: BertBuild = { graph: new OnnxGraph('bert'), config, weights, quantization, observe };
  const lastName = output !== 'pooled' && poolingLayers.length === 1 ? 'hidden' : `layer${layers - 1}`;
  const states = [packedEmbeddings(build)];
  const slots = attentionSlots(build);
  const wholeLayers = output === 'tokens' ? layers : layers - 1;
  for (let layer = 0; layer < wholeLayers; layer += 1) {
    const name = layer === layers - 1 ? lastName : `layer${layer}`;
    const block = `encoder.layer.${layer}`;
    const input = states[layer] ?? '';
    const context = packedAttention(build, name, block, input, slots);
    states.push(afterAttention(build, name, block, context, input));
  }
  const pooled =
    output === 'tokens'
      ? poolingLayers.map((layer) => states[layer + 1] ?? '')
      : firstTokenStates(build, slots, states, { lastName, poolingLayers });
  if (output === 'pooled') {
    build.graph.output(pooler(build, pooled[0] ?? ''), 'float32', [1, 'R', config.hiddenSize]);
    return build.graph;
  }
  const hidden = sideBySide(build, pooled);
  const size = poolingLayers.length * config.hiddenSize;
  build.graph.output(hidden, 'float32', [1, output === 'tokens' ? 'T' : 'R', size]);
  return build.graph;
}

/**
 * The blocks that a graph keeps, and those that come out of it, counted from 0.
 *
 * @throws FarmError `invalid_argument` when a block, or the pooler, is asked for that the model does not have,
 *   or a block that the cut leaves out.
 */
export function graphLayers(
  config: BertConfig,
  { layers = config.layers, poolingLayers, output }: BertGraphOptions,
): { readonly layers: number; readonly poolingLayers: readonly number[] } {
  const { label, hasPooler } = familyOf(config.modelType);
  if (output === 'pooled' && !hasPooler) {
    throw new FarmError('invalid_argument', `pooling cls_pooled needs a pooler, ${label} has none`);
  }
  if (!Number.isInteger(layers) || layers < 1 || layers > config.layers) {
    throw new FarmError('invalid_argument', `layers must be 1 to ${config.layers}, got ${layers}`);
  }
  const wished = output === 'pooled' ? [-1] : (poolingLayers ?? [layers - 1]);
  const resolved = resolvePoolingLayers(wished, config.layers);
  const highest = Math.max(...resolved);
  if (highest < layers) return { layers: highest + 1, poolingLayers: resolved };
  throw new FarmError(
    'invalid_argument',
    `the graph keeps ${layers} of ${config.layers} blocks, block ${highest + 1} is pooled`,
  );
}

/** Hidden states on the last axis; one alone stays as it is. */
function sideBySide({ graph }: BertBuild, states: readonly string[]): string {
  const [only] = states;
  if (only !== undefined && states.length === 1) return only;
  return graph.node('hidden', 'Concat', states, { attributes: { axis: { int: -1 } } });
}
