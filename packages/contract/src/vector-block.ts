import { decodeTail, encodeTail } from './block-tail.ts';
import { FarmError, FARM_ERROR_CODES, type FarmErrorCode } from './farm-error.ts';
import type { EncodeTiming } from './receipt.ts';

/**
 * The vectors of a chunk as bytes, little-endian:
 *
 *     0  "EFVB"                      12  rows        u32      28  queueMs     f32
 *     4  version u8 (1)              16  dimensions  u32      32  tokenizeMs  f32
 *     5  dtype   u8                  20  rowsAt      u32      36  batchWaitMs f32
 *     6  reserved u16                24  tailAt      u32      40  deviceMs    f32
 *     8  texts   u32                                          44  per text, 12 bytes each:
 *                                                                 firstRow u32, tokens u32, outcome u8, truncated u8, reserved u16
 *     rowsAt      `rows × dimensions` numbers, starting at a multiple of 8
 *     tailAt      JSON, to the end: failures as { code, message, texts: [index…] }, and tokens; see encodeTail
 *
 * A text's rows end where the next text's begin: one row for a pooled text, none for a failed one.
 */
const MAGIC = 0x42_56_46_45;
const VERSION = 1;
const HEADER_BYTES = 44;
const TEXT_BYTES = 12;

export const VECTOR_DTYPES = ['float32', 'float16', 'int8', 'binary'] as const;
export type VectorDtype = (typeof VECTOR_DTYPES)[number];

/** Why some texts of a chunk have no vector. */
export interface TextFailure {
  readonly code: FarmErrorCode;
  readonly message: string;
  /** Indices within the chunk. */
  readonly texts: readonly number[];
}

/** The vectors of the texts of one chunk, in their order. */
export interface VectorBlock {
  readonly dtype: VectorDtype;
  readonly dimensions: number;
  /** shape `[rows, dimensions]` in float32; for `float16` shape in halves, for `int8` and `binary` in bytes (binary: 8 dimensions a byte). */
  readonly values: Float32Array | Uint16Array | Int8Array | Uint8Array;
  /** shape `[texts + 1]`: text i has rows `firstRows[i]` up to `firstRows[i + 1]`. */
  readonly firstRows: Uint32Array;
  /** shape `[texts]`: sequence lengths, special tokens included. */
  readonly tokens: Uint32Array;
  /** shape `[texts]`: 1 where the text lost its end or start. */
  readonly truncated: Uint8Array;
  readonly failures: readonly TextFailure[];
  /** Per text its tokens as the device saw them, where they were asked for; none for one that failed before. */
  readonly tokenLists?: readonly (readonly string[])[];
  readonly timing: EncodeTiming;
}

/** A float32 block, as the engine makes them: narrows `values`. */
export type FloatBlock = VectorBlock & { readonly dtype: 'float32'; readonly values: Float32Array };

/** Bytes of one row. */
export function rowBytes(dtype: VectorDtype, dimensions: number): number {
  switch (dtype) {
    case 'float32':
      return dimensions * 4;
    case 'float16':
      return dimensions * 2;
    case 'int8':
      return dimensions;
    case 'binary':
      return Math.ceil(dimensions / 8);
  }
}

/** A block in which every text failed for the same reason. */
export function failedBlock(texts: number, code: FarmErrorCode, message: string): FloatBlock {
  return {
    dtype: 'float32',
    dimensions: 0,
    values: new Float32Array(0),
    firstRows: new Uint32Array(texts + 1),
    tokens: new Uint32Array(texts),
    truncated: new Uint8Array(texts),
    failures: [{ code, message, texts: Array.from({ length: texts }, (_, index) => index) }],
    timing: { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 },
  };
}

export function encodeVectorBlock(block: VectorBlock): Uint8Array {
  const texts = block.tokens.length;
  const rows = block.firstRows[texts] ?? 0;
  const rowsAt = alignTo8(HEADER_BYTES + texts * TEXT_BYTES);
  const valueBytes = rows * rowBytes(block.dtype, block.dimensions);
  if (valueBytes !== block.values.byteLength) {
    throw new FarmError(
      'internal',
      `a block of ${rows} rows needs ${valueBytes} bytes, got ${block.values.byteLength}`,
    );
  }
  const tail = encodeTail(block);
  const tailAt = rowsAt + valueBytes;
  const bytes = new Uint8Array(tailAt + tail.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, VERSION);
  view.setUint8(5, VECTOR_DTYPES.indexOf(block.dtype));
  view.setUint32(8, texts, true);
  view.setUint32(12, rows, true);
  view.setUint32(16, block.dimensions, true);
  view.setUint32(20, rowsAt, true);
  view.setUint32(24, tailAt, true);
  view.setFloat32(28, block.timing.queueMs, true);
  view.setFloat32(32, block.timing.tokenizeMs, true);
  view.setFloat32(36, block.timing.batchWaitMs, true);
  view.setFloat32(40, block.timing.deviceMs, true);
  const outcomes = outcomesOf(block);
  for (let index = 0; index < texts; index += 1) {
    const at = HEADER_BYTES + index * TEXT_BYTES;
    view.setUint32(at, block.firstRows[index] ?? 0, true);
    view.setUint32(at + 4, block.tokens[index] ?? 0, true);
    view.setUint8(at + 8, outcomes[index] ?? 0);
    view.setUint8(at + 9, block.truncated[index] ?? 0);
  }
  bytes.set(new Uint8Array(block.values.buffer, block.values.byteOffset, valueBytes), rowsAt);
  bytes.set(tail, tailAt);
  return bytes;
}

/** Per text: 0 for a vector, else 1 + the place of its code in the table. */
function outcomesOf(block: VectorBlock): Uint8Array {
  const outcomes = new Uint8Array(block.tokens.length);
  const codes = Object.keys(FARM_ERROR_CODES);
  for (const { code, texts } of block.failures) {
    for (const index of texts) outcomes[index] = 1 + codes.indexOf(code);
  }
  return outcomes;
}

/**
 * Bytes from Redis to a block. The vectors are copied, so they outlive the reply's buffer and are aligned.
 *
 * @throws FarmError `internal` when the bytes are not a block, are cut short, or lie about their sizes.
 */
export function decodeVectorBlock(bytes: Uint8Array): VectorBlock {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  check(bytes.byteLength >= HEADER_BYTES, `${bytes.byteLength} bytes, the header needs ${HEADER_BYTES}`);
  check(view.getUint32(0, true) === MAGIC, 'the first bytes are not EFVB');
  check(view.getUint8(4) === VERSION, `version ${view.getUint8(4)}, this reader knows ${VERSION}`);
  const dtype = VECTOR_DTYPES[view.getUint8(5)];
  if (dtype === undefined) throw new FarmError('internal', `not a vector block: dtype ${view.getUint8(5)}`);
  const texts = view.getUint32(8, true);
  const rows = view.getUint32(12, true);
  const dimensions = view.getUint32(16, true);
  const rowsAt = view.getUint32(20, true);
  const tailAt = view.getUint32(24, true);
  check(rowsAt === alignTo8(HEADER_BYTES + texts * TEXT_BYTES), `rows at ${rowsAt} with ${texts} texts`);
  check(tailAt === rowsAt + rows * rowBytes(dtype, dimensions), `a tail at ${tailAt} with ${rows} rows`);
  check(rows === 0 || dimensions > 0, `${rows} rows of no dimensions`);
  check(tailAt <= bytes.byteLength, `${bytes.byteLength} bytes, ${tailAt} announced`);
  const firstRows = new Uint32Array(texts + 1);
  const tokens = new Uint32Array(texts);
  const truncated = new Uint8Array(texts);
  for (let index = 0; index < texts; index += 1) {
    const at = HEADER_BYTES + index * TEXT_BYTES;
    firstRows[index] = view.getUint32(at, true);
    tokens[index] = view.getUint32(at + 4, true);
    truncated[index] = view.getUint8(at + 9);
  }
  firstRows[texts] = rows;
  for (let index = 0; index < texts; index += 1) {
    check((firstRows[index] ?? 0) <= (firstRows[index + 1] ?? 0), `text ${index} ends before it begins`);
  }
  const timing = {
    queueMs: view.getFloat32(28, true),
    tokenizeMs: view.getFloat32(32, true),
    batchWaitMs: view.getFloat32(36, true),
    deviceMs: view.getFloat32(40, true),
  };
  const values = decodeValues(bytes.subarray(rowsAt, tailAt), dtype);
  const tail = decodeTail(bytes.subarray(tailAt), texts);
  return { dtype, dimensions, values, firstRows, tokens, truncated, ...tail, timing };
}

function decodeValues(bytes: Uint8Array, dtype: VectorDtype): VectorBlock['values'] {
  // A Redis reply is a view into a pooled buffer at any offset, and typed arrays
  // want alignment. The constructor copies; Buffer.slice() would not.
  const aligned = new Uint8Array(bytes);
  switch (dtype) {
    case 'float32':
      return new Float32Array(aligned.buffer);
    case 'float16':
      return new Uint16Array(aligned.buffer);
    case 'int8':
      return new Int8Array(aligned.buffer);
    case 'binary':
      return aligned;
  }
}

function check(holds: boolean, fault: string): void {
  if (!holds) throw new FarmError('internal', `not a vector block: ${fault}`);
}

function alignTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
