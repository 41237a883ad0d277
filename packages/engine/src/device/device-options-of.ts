import type { ModelSpec } from '../model/model-spec.ts';
import type { Tokenizer } from '../tokenize/tokenizer.ts';
import type { OnnxDeviceOptions } from './onnx-device-options.ts';

/** What a device has to know of a model. `graphFile` may be another form of the model's graph. */
export function deviceOptionsOf(
  spec: ModelSpec,
  graphFile: string,
  { specialTokens, typesSegments }: Pick<Tokenizer, 'specialTokens' | 'typesSegments'>,
): Omit<OnnxDeviceOptions, 'name'> {
  const { graph, output, pooling, vocabularySize, maxSequenceLength, dimensions, heads, padId } = spec;
  return {
    modelFile: graphFile,
    graph,
    output,
    pooling,
    vocabularySize,
    maxSequenceLength,
    dimensions,
    heads,
    padId,
    typesSegments: typesSegments && spec.tokenTypes > 1,
    ...(spec.maskClsSep ? { masked: specialTokens } : {}),
  };
}
