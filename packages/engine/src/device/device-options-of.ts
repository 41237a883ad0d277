import type { ModelSpec } from '../model/model-spec.ts';
import type { MaskedEnds } from './masked-ends.ts';
import type { OnnxDeviceOptions } from './onnx-device-options.ts';

/** What a device has to know of a model. `graphFile` may be another form of the model's graph. */
export function deviceOptionsOf(
  spec: ModelSpec,
  graphFile: string,
  specialTokens: MaskedEnds,
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
    ...(spec.maskClsSep ? { masked: specialTokens } : {}),
  };
}
