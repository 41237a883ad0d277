import { rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { convertModel, type ConvertedModel, type ConvertOptions } from '@embedfarm/checkpoint/convert';
import { inTemporaryFolder } from '@embedfarm/checkpoint/temporary-folder';
import type { WeightBits } from '@embedfarm/checkpoint/quantize-columns';
import { readModelSpec } from '../model/model-spec.ts';
import { compareForms, type ModelForm } from './compare-forms.ts';
import { verdictOf, writeVerdict, type Int8Verdict } from './int8-verdict.ts';
import { observeSizes } from './observe-sizes.ts';

/** A conversion into int8, and how near its vectors are to those of float32. */
export interface ConvertedInt8 extends ConvertedModel {
  readonly verdict: Int8Verdict;
}

/**
 * Pretrained weights as a packed model directory in int8: a float32 form shows how large every channel is, the
 * weights become whole numbers by it, and both forms are compared. The verdict lies in the directory, which
 * appears whole or not at all; whether it is good enough the caller decides.
 *
 * @throws FarmError as `convertModel`.
 */
export async function makeInt8(
  source: string,
  out: string,
  weightBits: WeightBits,
  options: ConvertOptions = {},
): Promise<ConvertedInt8> {
  const target = resolve(out);
  return await inTemporaryFolder(target, async (folder) => {
    const [int8, float32] = [join(folder, 'int8'), join(folder, 'float32')];
    await convertModel(source, float32, { ...options, observe: true });
    const reference = await formOf(float32);
    const channelSizes = await observeSizes(reference.spec);
    const { onProgress: _told, ...again } = options;
    const converted = await convertModel(source, int8, {
      ...again,
      quantization: { weightBits, channelSizes },
    });
    const verdict = verdictOf(await compareForms(await formOf(int8), reference));
    await writeVerdict(int8, verdict);
    await rename(int8, target);
    return { ...converted, directory: target, verdict };
  });
}

async function formOf(directory: string): Promise<ModelForm> {
  const spec = await readModelSpec(directory);
  return { spec, graphFile: spec.files.graph };
}
