import { FarmError } from './farm-error.ts';
import type { EncodeTiming } from './receipt.ts';
import { rowBytes, type TextFailure, type VectorBlock } from './vector-block.ts';

/**
 * Texts `from` up to `to` of a block, as a block of their own. `values` is a view, nothing is copied.
 */
export function sliceBlock(block: VectorBlock, from: number, to: number): VectorBlock {
  if (from === 0 && to === block.tokens.length) return block;
  const firstRow = block.firstRows[from] ?? 0;
  const lastRow = block.firstRows[to] ?? 0;
  const width = rowBytes(block.dtype, block.dimensions) / block.values.BYTES_PER_ELEMENT;
  return {
    ...block,
    values: block.values.subarray(firstRow * width, lastRow * width),
    firstRows: block.firstRows.subarray(from, to + 1).map((row) => row - firstRow),
    tokens: block.tokens.subarray(from, to),
    truncated: block.truncated.subarray(from, to),
    failures: shiftFailures(block.failures, -from, to - from),
    ...(block.tokenLists ? { tokenLists: block.tokenLists.slice(from, to) } : {}),
  };
}

/**
 * Blocks one after the other, as one. Blocks without rows (all texts failed) fit any.
 *
 * @throws FarmError `internal` when they differ in dtype or dimensions.
 */
export function joinBlocks(blocks: readonly VectorBlock[]): VectorBlock {
  const [only] = blocks;
  if (only === undefined) throw new FarmError('internal', 'no blocks to join');
  if (blocks.length === 1) return only;
  const model = blocks.find((block) => block.values.length > 0) ?? only;
  const texts = sum(blocks, (block) => block.tokens.length);
  const values = allocate(
    model.values,
    sum(blocks, (block) => block.values.length),
  );
  const firstRows = new Uint32Array(texts + 1);
  const tokens = new Uint32Array(texts);
  const truncated = new Uint8Array(texts);
  const failures: TextFailure[] = [];
  let text = 0;
  let row = 0;
  let at = 0;
  for (const block of blocks) {
    if (block.values.length > 0) {
      if (block.dtype !== model.dtype || block.dimensions !== model.dimensions) {
        throw new FarmError(
          'internal',
          `blocks of ${block.dtype} × ${block.dimensions} and ${model.dtype} × ${model.dimensions} do not join`,
        );
      }
      values.set(block.values, at);
    }
    tokens.set(block.tokens, text);
    truncated.set(block.truncated, text);
    for (let index = 0; index < block.tokens.length; index += 1) {
      firstRows[text + index] = row + (block.firstRows[index] ?? 0);
    }
    failures.push(...shiftFailures(block.failures, text, texts));
    row += block.firstRows[block.tokens.length] ?? 0;
    text += block.tokens.length;
    at += block.values.length;
  }
  firstRows[texts] = row;
  return {
    dtype: model.dtype,
    dimensions: model.dimensions,
    values,
    firstRows,
    tokens,
    truncated,
    failures,
    ...joinTokenLists(blocks),
    timing: longestTiming(blocks),
  };
}

/** A chunk that failed as a whole has none. */
function joinTokenLists(blocks: readonly VectorBlock[]): Pick<VectorBlock, 'tokenLists'> {
  if (blocks.every(({ tokenLists }) => tokenLists === undefined)) return {};
  const none = (block: VectorBlock): string[][] => Array.from(block.tokens, () => []);
  return { tokenLists: blocks.flatMap((block) => block.tokenLists ?? none(block)) };
}

function allocate(like: VectorBlock['values'], length: number): VectorBlock['values'] {
  if (like instanceof Float32Array) return new Float32Array(length);
  if (like instanceof Uint16Array) return new Uint16Array(length);
  if (like instanceof Int8Array) return new Int8Array(length);
  return new Uint8Array(length);
}

/** Failures with their indices moved, those outside `0 … texts - 1` dropped. */
function shiftFailures(failures: readonly TextFailure[], by: number, texts: number): TextFailure[] {
  return failures
    .map((failure) => ({
      ...failure,
      texts: failure.texts.map((index) => index + by).filter((index) => index >= 0 && index < texts),
    }))
    .filter((failure) => failure.texts.length > 0);
}

/** Chunks run side by side: the call took as long as the longest of each part. */
function longestTiming(blocks: readonly VectorBlock[]): EncodeTiming {
  const longest = (part: keyof EncodeTiming): number =>
    Math.max(...blocks.map((block) => block.timing[part]));
  return {
    queueMs: longest('queueMs'),
    tokenizeMs: longest('tokenizeMs'),
    batchWaitMs: longest('batchWaitMs'),
    deviceMs: longest('deviceMs'),
  };
}

function sum<Item>(items: readonly Item[], size: (item: Item) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
