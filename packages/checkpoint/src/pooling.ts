import { FarmError, POOLINGS, type Pooling } from '@embedfarm/contract';

export { POOLINGS, type Pooling };

/** What a packed graph gives: states of all tokens, of each row's first token, or these through the pooler. */
export const GRAPH_OUTPUTS = ['tokens', 'first', 'pooled'] as const;
export type GraphOutput = (typeof GRAPH_OUTPUTS)[number];

/** The least that a graph must give for a pooling. */
export function outputFor(pooling: Pooling): GraphOutput {
  if (pooling === 'cls_pooled') return 'pooled';
  return pooling === 'cls' ? 'first' : 'tokens';
}

/**
 * Places in the list of block outputs, from 0; negative ones count from the end, -1 is the last block. The
 * embeddings are not in the list.
 *
 * @throws FarmError `invalid_argument` for an empty list, and for a block that the model does not have.
 */
export function resolvePoolingLayers(poolingLayers: readonly number[], layers: number): number[] {
  if (poolingLayers.length === 0) {
    throw new FarmError('invalid_argument', 'poolingLayers is empty, at least 1 layer is needed');
  }
  return poolingLayers.map((layer) => {
    const place = layer < 0 ? layers + layer : layer;
    if (Number.isInteger(place) && place >= 0 && place < layers) return place;
    throw new FarmError(
      'invalid_argument',
      `poolingLayers must be -${layers} to ${layers - 1}, as the model has ${layers} blocks, got ${layer}`,
    );
  });
}
