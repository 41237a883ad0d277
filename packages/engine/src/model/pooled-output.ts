import {
  outputFor,
  resolvePoolingLayers,
  type GraphOutput,
  type Pooling,
} from '@embedfarm/checkpoint/pooling';
import { FarmError } from '@embedfarm/contract';
import { pooledSize } from '../device/pool-hidden.ts';

/** How vectors come out of a model's graph. */
export interface PooledOutput {
  /** What the graph gives. */
  readonly output: GraphOutput;
  readonly pooling: Pooling;
  /** Encoder blocks whose states are pooled, from 0, in the order in which they stand in a vector. */
  readonly poolingLayers: readonly number[];
  /** Size of a vector. */
  readonly dimensions: number;
}

/** What embedfarm.json says of a packed graph; a directory of the first versions says only `layers`. */
export interface PackedGraph {
  readonly layers: number;
  readonly output?: GraphOutput | undefined;
  readonly poolingLayers?: readonly number[] | undefined;
}

export interface GraphFacts {
  readonly directory: string;
  /** Encoder blocks of the whole model. */
  readonly layers: number;
  readonly hiddenSize: number;
  /** Undefined for an export of somebody else, which gives the last block's states of all tokens. */
  readonly packed: PackedGraph | undefined;
}

/**
 * A graph is fixed when it is written, so it gives what was asked for then, or less is pooled from it.
 *
 * @throws FarmError `invalid_argument` naming what is asked for and what the graph gives.
 */
export function poolOutput(
  { directory, layers, hiddenSize, packed }: GraphFacts,
  pooling: Pooling,
  wishedLayers: readonly number[] | undefined,
): PooledOutput {
  const { output = 'tokens', poolingLayers: given = [(packed?.layers ?? layers) - 1] } = packed ?? {};
  const needed = outputFor(pooling);
  if (output !== needed && (output !== 'tokens' || needed === 'pooled')) {
    throw new FarmError(
      'invalid_argument',
      `pooling ${pooling} needs ${OUTPUT_WORDS[needed]}, the graph of ${directory} gives ${OUTPUT_WORDS[output]}`,
    );
  }
  const poolingLayers =
    wishedLayers === undefined || pooling === 'cls_pooled'
      ? given
      : resolvePoolingLayers(wishedLayers, layers);
  if (poolingLayers.join() !== given.join()) {
    throw new FarmError(
      'invalid_argument',
      `poolingLayers ${wishedLayers?.join(',')} needs the states of ${blocks(poolingLayers, layers)}, ` +
        `the graph of ${directory} gives those of ${blocks(given, layers)}`,
    );
  }
  const dimensions = pooledSize(hiddenSize * poolingLayers.length, pooling);
  return { output, pooling, poolingLayers, dimensions };
}

const OUTPUT_WORDS: Record<GraphOutput, string> = {
  tokens: 'the states of all tokens',
  first: 'the states of first tokens',
  pooled: 'the pooler',
};

/** People count from 1. */
function blocks(poolingLayers: readonly number[], layers: number): string {
  return `block ${poolingLayers.map((layer) => layer + 1).join(', ')} of ${layers}`;
}
