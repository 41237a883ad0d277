import { joinSequences } from '../batch/sequence-batch.ts';
import { deviceOptionsOf } from '../device/device-options-of.ts';
import { ThreadedDevice } from '../device/threaded-device.ts';
import type { ModelSpec } from '../model/model-spec.ts';
import { Tokenizer } from '../tokenize/tokenizer.ts';
import { PROBE_TEXTS } from './probe-texts.ts';
import { rowCosines } from './row-cosines.ts';
import { sequencesOf } from './sequences-of.ts';

/** A form of a model, and the file of its graph. */
export interface ModelForm {
  readonly spec: ModelSpec;
  readonly graphFile: string;
}

/** The cosine between the vectors that two forms of a model give each probe text. */
export async function compareForms(int8: ModelForm, float32: ModelForm): Promise<number[]> {
  const [a, b] = [await probe(int8), await probe(float32)];
  return rowCosines(a.rows, b.rows, a.dimensions);
}

/** The vectors of the probe texts, one after the other: the same as in any batch. */
async function probe({ spec, graphFile }: ModelForm): Promise<{ rows: Float32Array; dimensions: number }> {
  const tokenizer = await Tokenizer.open(spec);
  // Vectors of single tokens say less than those of whole texts.
  const pooling = spec.pooling === 'none' ? 'mean' : spec.pooling;
  const options = deviceOptionsOf({ ...spec, pooling }, graphFile, tokenizer);
  const device = await ThreadedDevice.open({ name: 'cpu/0', ...options });
  try {
    const rows: number[] = [];
    for (const ids of await sequencesOf(tokenizer, PROBE_TEXTS)) {
      for (const value of await device.encode(joinSequences([ids]))) rows.push(value);
    }
    return { rows: Float32Array.from(rows), dimensions: spec.dimensions };
  } finally {
    await device.close();
  }
}
