import type { BertBuild } from './bert-layers.ts';
import { weightOf } from './bert-weights.ts';
import { distanceBucket } from './distance-bucket.ts';

// From here on all distances are of one kind.
const FARTHEST = 128;

/**
 * What is added to the scores of attention: float32 [B, heads, S, S], from the mask's bias [B, 1, 1, S] and
 * the learned bias of the distance between two slots. It is the same for all blocks, and for a pair of slots
 * in every batch.
 *
 * @param slotCount int32 [1]: S.
 *
 * Source: Song et al., "MPNet", 2020 (https://arxiv.org/abs/2004.09297); Raffel et al., "T5", 2019
 * (https://arxiv.org/abs/1910.10683), section 2.1.
 */
export function distanceBias(build: BertBuild, mask: string, slotCount: string): string {
  const { graph } = build;
  const scalar = (name: string, value: number): string => graph.int32s(name, [value], []);
  const count = graph.node('slot_count', 'Reshape', [slotCount, graph.int64s('scalar_shape', [])]);
  const keys = graph.node('key_slots', 'Range', [
    scalar('first_slot_place', 0),
    count,
    scalar('slot_step', 1),
  ]);
  const queries = graph.node('query_slots', 'Unsqueeze', [keys, graph.int64s('query_axis', [1])]);
  const distances = graph.node('distances', 'Sub', [keys, queries]);
  const near = graph.node('near_distances', 'Clip', [
    distances,
    scalar('farthest_back', -FARTHEST),
    scalar('farthest_ahead', FARTHEST),
  ]);
  const columns = graph.node('distance_columns', 'Add', [near, scalar('distance_0', FARTHEST)]);
  const bias = graph.node('distance_bias', 'Gather', [distanceTable(build), columns], {
    attributes: { axis: { int: 1 } },
  });
  return graph.node('slot_bias', 'Add', [bias, mask]);
}

/** [heads, distances]: the bias of every distance from -FARTHEST to FARTHEST. */
function distanceTable({ graph, config, weights }: BertBuild): string {
  const { heads } = config;
  const distances = 2 * FARTHEST + 1;
  return graph.floats('distance_table', [heads, distances], () => {
    const byBucket = weightOf(weights, 'encoder.relative_attention_bias.weight').read();
    return Float32Array.from({ length: heads * distances }, (_, at) => {
      const bucket = distanceBucket((at % distances) - FARTHEST);
      return byBucket[bucket * heads + Math.floor(at / distances)] ?? 0;
    });
  });
}
