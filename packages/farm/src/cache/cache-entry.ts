import {
  decodeVectorBlock,
  encodeVectorBlock,
  sliceBlock,
  type EncodeOptions,
  type ModelRegistration,
  type VectorBlock,
} from '@embedfarm/contract';

/** What an entry must be to answer a call. */
export interface EntryShape {
  readonly dtype: VectorBlock['dtype'];
  readonly dimensions: number;
  readonly hasTokens: boolean;
  /** Whether a text has one vector; else one a token. */
  readonly isPooled: boolean;
}

export function entryShape(model: ModelRegistration, options: EncodeOptions): EntryShape {
  return {
    dtype: options.dtype,
    dimensions: options.dimensions ?? model.dimensions,
    hasTokens: options.returnTokens === true,
    isPooled: model.pooling !== 'none',
  };
}

/** A hit takes no time. */
const NO_TIME = { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 };

/** One text of a block as it is kept: its vector, receipt and tokens. Undefined for one that failed. */
export function encodeEntry(block: VectorBlock, index: number, shape: EntryShape): Buffer | undefined {
  const entry = { ...sliceBlock(block, index, index + 1), timing: NO_TIME };
  if (!fits(entry, shape)) return undefined;
  const bytes = encodeVectorBlock(entry);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The block of one text, or undefined for bytes that no worker has put there for this shape. */
export function decodeEntry(bytes: Uint8Array, shape: EntryShape): VectorBlock | undefined {
  try {
    const entry = { ...decodeVectorBlock(bytes), timing: NO_TIME };
    return fits(entry, shape) ? entry : undefined;
  } catch {
    // Not a block: put there by hand, or half of one.
    return undefined;
  }
}

function fits({ firstRows, ...entry }: VectorBlock, shape: EntryShape): boolean {
  const rows = firstRows[1] ?? 0;
  return (
    entry.tokens.length === 1 &&
    entry.failures.length === 0 &&
    entry.dtype === shape.dtype &&
    entry.dimensions === shape.dimensions &&
    firstRows[0] === 0 &&
    (shape.isPooled ? rows === 1 : rows >= 1) &&
    (entry.tokenLists !== undefined) === shape.hasTokens
  );
}
