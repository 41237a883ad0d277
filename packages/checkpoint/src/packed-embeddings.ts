import { layerNorm, lookUp, sumEmbeddings, type BertBuild } from './bert-layers.ts';
import { weightOf } from './bert-weights.ts';

/**
 * [1, T, hidden]: the vectors of words and places, and of token types where the model has several, summed
 * and normalized. A model with one type or none takes no `types`.
 */
export function packedEmbeddings(build: BertBuild): string {
  const { graph, config } = build;
  const axis = graph.int64s('row_axis', [0]);
  const row = (input: string): string =>
    graph.node(`${input}_row`, 'Unsqueeze', [graph.input(input, 'int32', ['T']), axis]);
  const words = lookUp(build, 'words', row('ids'));
  const inputs = [placeTable(build), row('positions')];
  const places = graph.node('positions_vectors', 'Gather', inputs, { attributes: { axis: { int: 0 } } });
  if (config.segmentTypes > 1)
    return sumEmbeddings(build, words, lookUp(build, 'types', row('types')), places);
  const placed = graph.node('placed_words', 'Add', [words, places]);
  return layerNorm(build, 'embedded', 'embeddings.LayerNorm', placed);
}

/** [places, hidden] from the first place that a token can have; what is the same for all tokens is added. */
function placeTable({ graph, config, weights }: BertBuild): string {
  const { hiddenSize, maxPositions, firstPosition = 0, segmentTypes } = config;
  const name = 'embeddings.position_embeddings.weight';
  return graph.floats(name, [maxPositions, hiddenSize], () => {
    const places = weightOf(weights, name)
      .read()
      .subarray(firstPosition * hiddenSize);
    if (segmentTypes !== 1) return places;
    const type = weightOf(weights, 'embeddings.token_type_embeddings.weight').read();
    return places.map((value, at) => value + (type[at % hiddenSize] ?? 0));
  });
}
