import {
  rowBytes,
  textBytes,
  type EncodeOptions,
  type EncodeText,
  type ModelRegistration,
} from '@embedfarm/contract';

/** What the farm holds, or is to hold, for somebody. */
export interface Load {
  readonly texts: number;
  /** Bytes of texts, and of the results that are there or to come. */
  readonly bytes: number;
}

/** Head of a vector block, and what it says of each text. */
const BLOCK_BYTES = 44;
const RECEIPT_BYTES = 12;

/**
 * What a chunk costs until its result is read: its texts, and the block that is to come. With
 * pooling `none` a text may bring as many rows as the model takes tokens. The same at both ends:
 * a producer reserves it, the worker that settles the chunk gives it back.
 */
export function chunkLoad(
  texts: readonly EncodeText[],
  {
    pooling,
    maxSequenceLength,
    ...model
  }: Pick<ModelRegistration, 'pooling' | 'maxSequenceLength' | 'dimensions'>,
  { dtype, dimensions = model.dimensions, returnTokens = false }: EncodeOptions,
): Load {
  let bytesOfTexts = 0;
  for (const text of texts) bytesOfTexts += textBytes(text);
  const rows = pooling === 'none' ? maxSequenceLength : 1;
  const rowsBytes = texts.length * (RECEIPT_BYTES + rows * rowBytes(dtype, dimensions));
  // Tokens come back as JSON: about the text once more, and quotes and commas between.
  const tailBytes = returnTokens ? 2 * bytesOfTexts : 0;
  return { texts: texts.length, bytes: bytesOfTexts + BLOCK_BYTES + rowsBytes + tailBytes };
}

export function sumLoads(loads: readonly Load[]): Load {
  let texts = 0;
  let bytes = 0;
  for (const load of loads) {
    texts += load.texts;
    bytes += load.bytes;
  }
  return { texts, bytes };
}
