import { FarmError } from '@embedfarm/contract';
import type { Encoding, Tokenizer as NativeTokenizer } from 'tokenizers';

/** Tokens of each string, without special ones. A string that the library throws on fails alone. */
export async function encodeStrings(
  native: NativeTokenizer,
  texts: readonly string[],
): Promise<(Encoding | FarmError)[]> {
  if (texts.length === 0) return [];
  try {
    return await native.encodeBatch([...texts], { addSpecialTokens: false });
  } catch (error) {
    if (texts.length === 1) return [FarmError.from(error)];
    const one = (text: string): Promise<(Encoding | FarmError)[]> => encodeStrings(native, [text]);
    return (await Promise.all(texts.map(one))).flat();
  }
}
