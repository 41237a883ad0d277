import {
  MAX_CHUNK_BYTES,
  MAX_CHUNK_TEXTS,
  rowBytes,
  textBytes,
  type EncodeOptions,
  type EncodeText,
  type ModelRegistration,
} from '@embedfarm/contract';

/** Most bytes that the vectors of a chunk may come to. Redis would take 512 MB, and stand still for it. */
const MAX_RESULT_BYTES = 16 * 1024 * 1024;

/** A run of texts: from `from`, up to but not with `to`. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/** Most texts of a chunk: with pooling `none` each may bring as many vectors as the model takes tokens. */
export function maxChunkTexts(
  { pooling, maxSequenceLength, ...model }: ModelRegistration,
  { dtype, dimensions = model.dimensions }: EncodeOptions,
): number {
  const rows = pooling === 'none' ? maxSequenceLength : 1;
  const texts = Math.floor(MAX_RESULT_BYTES / (rows * rowBytes(dtype, dimensions)));
  return Math.min(MAX_CHUNK_TEXTS, Math.max(1, texts));
}

/** Cuts texts into chunks: whole texts, order kept, within the limits of a chunk. */
export function splitTexts(texts: readonly EncodeText[], maxTexts: number): TextRange[] {
  const ranges: TextRange[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, text] of texts.entries()) {
    const size = textBytes(text);
    const isFull = index - from === maxTexts || bytes + size > MAX_CHUNK_BYTES;
    if (isFull && index > from) {
      ranges.push({ from, to: index });
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < texts.length) ranges.push({ from, to: texts.length });
  return ranges;
}
