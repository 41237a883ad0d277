import { FarmError } from '@embedfarm/contract/farm-error';
import type { InferenceSession } from 'onnxruntime-node';

/** @throws FarmError `internal` when the run gave another shape than the graph promised. */
export function readHidden(
  outputs: InferenceSession.ReturnType,
  name: string,
  shape: readonly number[],
): Float32Array {
  const output = outputs[name];
  const data: unknown = output && 'data' in output ? output.data : undefined;
  const got = output && 'dims' in output ? output.dims : [];
  if (
    data instanceof Float32Array &&
    got.length === shape.length &&
    shape.every((size, axis) => got[axis] === size)
  ) {
    return data;
  }
  throw new FarmError(
    'internal',
    `output ${name} must be float32 [${shape.join(', ')}], got [${got.join(', ')}]`,
  );
}
