import { identityVector } from '@embedfarm/testkit/timed-encoder';

/** The vectors of a call, by index; undefined where a text has none. */
export interface Rows {
  readonly rows: number;
  at(index: number): Float32Array | undefined;
}

/** Texts without their own vector. */
export interface RowFaults {
  /** No vector at all. */
  readonly lost: number;
  /** The vector of another text of the call. */
  readonly misordered: number;
  /** The vector of no text of the call. */
  readonly wrong: number;
}

/** @param expected the vector a text is to have; by default a TimedEncoder's. */
export function checkRows(
  texts: readonly string[],
  got: Rows,
  expected: (index: number, dimensions: number) => ArrayLike<number> = (index, dimensions) =>
    identityVector(texts[index] ?? '', dimensions),
): RowFaults {
  const faults = { lost: 0, misordered: 0, wrong: 0 };
  let owners: Set<string> | undefined;
  for (let index = 0; index < texts.length; index += 1) {
    const row = index < got.rows ? got.at(index) : undefined;
    if (row === undefined) {
      faults.lost += 1;
      continue;
    }
    if (isSame(row, expected(index, row.length))) continue;
    owners ??= new Set(texts.map((_, other) => Array.from(expected(other, row.length)).join()));
    faults[owners.has(row.join()) ? 'misordered' : 'wrong'] += 1;
  }
  return faults;
}

function isSame(row: Float32Array, expected: ArrayLike<number>): boolean {
  return row.length === expected.length && row.every((number, at) => number === expected[at]);
}
