import { embeddedVocabulary } from '@embedfarm/checkpoint/embedded-vocabulary';
import { seededRandom } from '@embedfarm/testkit/seeded-random';
import { sequenceLengths, type LengthsName } from './sequence-lengths.ts';

/** What decides a workload: the same in every process. */
export interface WorkloadSpec {
  readonly name: LengthsName;
  readonly texts: number;
  readonly seed: number;
}

const SPECIAL_TOKENS = 2;

/**
 * Texts of exactly the wanted sequence lengths: every word is an entry of the vocabulary, so it is one token.
 * Same spec, same texts.
 */
export function workloadTexts({ name, texts, seed }: WorkloadSpec): string[] {
  const words = wholeWords();
  const random = seededRandom(seed + 1);
  const word = (): string => words[Math.floor(random() * words.length)] as string;
  return sequenceLengths(name, texts, seed).map((length) =>
    Array.from({ length: length - SPECIAL_TOKENS }, word).join(' '),
  );
}

function wholeWords(): string[] {
  return embeddedVocabulary().filter((entry) => /^[a-z]{2,}$/.test(entry));
}
