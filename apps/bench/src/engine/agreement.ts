import { FarmError } from '@embedfarm/contract';
import { compareRows } from '../compare-rows.ts';
import { workloadTexts } from '../workload.ts';
import { groupOf, type Contender } from './contenders.ts';

/** How near the vectors of a contender are to those of our engine in fp32. */
export interface Agreement {
  readonly contender: string;
  readonly texts: number;
  readonly minCosine: number;
  readonly meanCosine: number;
  readonly maxDifference: number;
}

const TEXTS = 64;
const MIN_FP32_COSINE = 0.9999;

/**
 * Every contender's vectors of the same texts beside ours in fp32, each text alone.
 *
 * @throws FarmError `internal` where fp32 and fp32 differ: then it is not the same model that is measured.
 */
export async function agreementOf(contenders: readonly Contender[], seed: number): Promise<Agreement[]> {
  const [first, ...others] = contenders;
  if (first?.dtype !== 'fp32') return [];
  const texts = workloadTexts({ name: 'mix', texts: TEXTS, seed });
  const reference = await first.process.call('vectors', { texts });
  const agreements: Agreement[] = [];
  for (const contender of others) {
    const vectors = await contender.process.call('vectors', { texts });
    const agreement = { contender: groupOf(contender), texts: TEXTS, ...compareRows(reference, vectors) };
    if (contender.dtype === 'fp32' && !(agreement.minCosine >= MIN_FP32_COSINE)) {
      const cosine = agreement.minCosine.toFixed(6);
      throw new FarmError('internal', `${agreement.contender} gives other vectors: cosine ${cosine}`);
    }
    agreements.push(agreement);
  }
  return agreements;
}
