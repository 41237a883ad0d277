import { FarmError, MAX_FLOAT16, type VectorDtype } from '@embedfarm/contract';
import { scaleRow } from './scale-row.ts';

/** What a caller wants of the model's vectors. */
export interface RowShape {
  /** Numbers to keep of each. */
  readonly dimensions: number;
  /** Whether they get length 1. */
  readonly normalize: boolean;
  /** What they are rounded to when all are there; `float32` by default. */
  readonly dtype?: VectorDtype;
  /** Numbers that the model gives, where every token has a row; left out, a text has one. */
  readonly tokenDimensions?: number;
}

/** Rows of a call's texts, as they come. */
export interface TextRows {
  /** Copies, cuts and scales. @returns why the text fails, where a number cannot be given. */
  put(index: number, rows: Float32Array): FarmError | undefined;
  /** All rows in the order of the texts; those that failed have none. `firstRows` as in a vector block. */
  join(failed: { has(index: number): boolean }): { values: Float32Array; firstRows: Uint32Array };
}

export function openTextRows(texts: number, shape: RowShape): TextRows {
  const { tokenDimensions } = shape;
  return tokenDimensions === undefined
    ? new PooledRows(texts, shape)
    : new TokenRows(texts, shape, tokenDimensions);
}

/** One row a text, in one buffer from the start. */
class PooledRows implements TextRows {
  readonly #texts: number;
  readonly #shape: RowShape;
  readonly #values: Float32Array;

  constructor(texts: number, shape: RowShape) {
    this.#texts = texts;
    this.#shape = shape;
    this.#values = new Float32Array(texts * shape.dimensions);
  }

  put(index: number, row: Float32Array): FarmError | undefined {
    const { dimensions } = this.#shape;
    const target = this.#values.subarray(index * dimensions, (index + 1) * dimensions);
    target.set(row.subarray(0, dimensions));
    return finishRow(target, this.#shape);
  }

  join(failed: { has(index: number): boolean }): { values: Float32Array; firstRows: Uint32Array } {
    const { dimensions } = this.#shape;
    const firstRows = new Uint32Array(this.#texts + 1);
    let row = 0;
    for (let index = 0; index < this.#texts; index += 1) {
      firstRows[index] = row;
      if (!failed.has(index)) row += 1;
    }
    firstRows[this.#texts] = row;
    if (row === this.#texts) return { values: this.#values, firstRows };
    const values = new Float32Array(row * dimensions);
    for (let index = 0; index < this.#texts; index += 1) {
      if (failed.has(index)) continue;
      const good = this.#values.subarray(index * dimensions, (index + 1) * dimensions);
      values.set(good, (firstRows[index] ?? 0) * dimensions);
    }
    return { values, firstRows };
  }
}

/** As many rows a text as it has tokens, which is known only when they come. */
class TokenRows implements TextRows {
  readonly #shape: RowShape;
  readonly #size: number;
  readonly #rows: Float32Array[];

  constructor(texts: number, shape: RowShape, size: number) {
    this.#shape = shape;
    this.#size = size;
    this.#rows = Array.from({ length: texts }, () => new Float32Array(0));
  }

  put(index: number, rows: Float32Array): FarmError | undefined {
    const { dimensions } = this.#shape;
    const count = rows.length / this.#size;
    const kept = new Float32Array(count * dimensions);
    let fault: FarmError | undefined;
    for (let row = 0; row < count; row += 1) {
      const target = kept.subarray(row * dimensions, (row + 1) * dimensions);
      target.set(rows.subarray(row * this.#size, row * this.#size + dimensions));
      fault ??= finishRow(target, this.#shape);
    }
    this.#rows[index] = kept;
    return fault;
  }

  join(failed: { has(index: number): boolean }): { values: Float32Array; firstRows: Uint32Array } {
    const { dimensions } = this.#shape;
    const firstRows = new Uint32Array(this.#rows.length + 1);
    for (const [index, rows] of this.#rows.entries()) {
      const count = failed.has(index) ? 0 : rows.length / dimensions;
      firstRows[index + 1] = (firstRows[index] ?? 0) + count;
    }
    const values = new Float32Array((firstRows[this.#rows.length] ?? 0) * dimensions);
    for (const [index, rows] of this.#rows.entries()) {
      if (!failed.has(index)) values.set(rows, (firstRows[index] ?? 0) * dimensions);
    }
    return { values, firstRows };
  }
}

function finishRow(row: Float32Array, { normalize, dtype }: RowShape): FarmError | undefined {
  if (!scaleRow(row, normalize)) {
    return new FarmError('internal', 'the model gave a vector with infinite or no numbers');
  }
  const large = dtype === 'float16' ? row.find((value) => Math.abs(value) > MAX_FLOAT16) : undefined;
  if (large === undefined) return undefined;
  return new FarmError(
    'invalid_argument',
    `a number of the vector is ${large}, float16 ends at ±${MAX_FLOAT16}: ask for float32 or normalize`,
  );
}
