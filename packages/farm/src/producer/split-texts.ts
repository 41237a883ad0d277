import { MAX_CHUNK_BYTES, MAX_CHUNK_TEXTS } from '@embedfarm/contract';

/** A run of texts: from `from`, up to but not with `to`. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/** Cuts texts into chunks: whole texts, order kept, within the limits of a chunk. */
export function splitTexts(texts: readonly string[]): TextRange[] {
  const ranges: TextRange[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, text] of texts.entries()) {
    const textBytes = Buffer.byteLength(text);
    const isFull = index - from === MAX_CHUNK_TEXTS || bytes + textBytes > MAX_CHUNK_BYTES;
    if (isFull && index > from) {
      ranges.push({ from, to: index });
      from = index;
      bytes = 0;
    }
    bytes += textBytes;
  }
  if (from < texts.length) ranges.push({ from, to: texts.length });
  return ranges;
}
