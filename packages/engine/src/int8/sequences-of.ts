import { FarmError } from '@embedfarm/contract';
import type { Tokenizer } from '../tokenize/tokenizer.ts';

/** The sequences of texts that a model must take: @throws FarmError why one of them has none. */
export async function sequencesOf(tokenizer: Tokenizer, texts: readonly string[]): Promise<Int32Array[]> {
  const sequences: Int32Array[] = [];
  for await (const part of tokenizer.tokenize(texts, 'end')) {
    for (const text of part) {
      if (text instanceof FarmError) throw text;
      sequences.push(text.ids);
    }
  }
  return sequences;
}
