import { rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConvertOptions } from '@embedfarm/checkpoint/convert';
import { FarmError } from '@embedfarm/contract';
import { readCpuFeatures, weightBitsFor } from '../device/cpu-features.ts';
import { requireGood } from './int8-verdict.ts';
import { makeInt8, type ConvertedInt8 } from './make-int8.ts';

export type { ConvertedInt8 } from './make-int8.ts';

/**
 * `convertModel` into int8, with as many bits as this processor takes.
 *
 * @throws FarmError as `convertModel`; `invalid_argument` with the measured cosine where int8 does not suit
 *   the model: then there is no directory.
 */
export async function convertToInt8(
  source: string,
  out: string,
  options: ConvertOptions = {},
): Promise<ConvertedInt8> {
  if (await isTaken(out)) throw new FarmError('invalid_argument', `${resolve(out)} exists already`);
  const converted = await makeInt8(source, out, weightBitsFor(await readCpuFeatures()), options);
  try {
    requireGood(source, converted.verdict);
  } catch (refusal) {
    await rm(converted.directory, { recursive: true });
    throw refusal;
  }
  return converted;
}

async function isTaken(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
