import { FarmError } from '@embedfarm/contract';
import type { CpuFeatures } from '../device/cpu-features.ts';
import type { PreparedModel } from '../model/prepare-model.ts';
import { compareForms } from './compare-forms.ts';
import { readVerdict, requireGood, verdictOf, writeVerdict, type Int8Verdict } from './int8-verdict.ts';

/**
 * Lets an int8 model through whose vectors are near those of float32. What was measured once is kept in the
 * model's directory.
 *
 * @param twin prepares the same model in float32; gives undefined where only its int8 form is at hand.
 * @throws FarmError `invalid_argument` with the measured cosine where it is too low; where it was never
 *   measured and cannot be; and where the processor adds products of bytes in too few bits.
 */
export async function requireCheckedInt8(
  model: PreparedModel,
  features: CpuFeatures,
  twin: () => Promise<PreparedModel | undefined>,
): Promise<void> {
  const { directory } = model.spec.files;
  if (model.spec.weightBits === 8 && !features.addsBytesExactly) {
    throw new FarmError(
      'invalid_argument',
      `${directory} has weights of 8 bits, and this processor adds their products in 16: convert the model here, into 7 bits`,
    );
  }
  const verdict = (await readVerdict(directory)) ?? (await judge(model, await twin()));
  requireGood(directory, verdict);
}

async function judge(model: PreparedModel, twin: PreparedModel | undefined): Promise<Int8Verdict> {
  const { directory } = model.spec.files;
  if (!twin) {
    throw new FarmError(
      'invalid_argument',
      `the int8 graph of ${directory} was never compared with float32: convert the model again with --dtype int8`,
    );
  }
  const verdict = verdictOf(await compareForms(model, twin));
  await writeVerdict(directory, verdict);
  return verdict;
}
