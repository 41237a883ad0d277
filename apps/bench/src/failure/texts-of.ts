import { identityVector } from '@embedfarm/testkit/timed-encoder';

/** Texts that any process can make again: no two are equal, also not across tags. */
export interface TextsSpec {
  readonly tag: string;
  readonly texts: number;
  /** Least length of each. */
  readonly characters?: number;
}

export function textsOf({ tag, texts, characters = 0 }: TextsSpec): string[] {
  return Array.from({ length: texts }, (_, index) => `${tag} ${index} `.padEnd(characters, 'filler '));
}

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
  dimensions: number,
  expected: (index: number) => ArrayLike<number> = (index) => identityVector(texts[index] ?? '', dimensions),
): RowFaults {
  const keyOf = (numbers: ArrayLike<number>): string => Array.from(numbers).join();
  let owners: Set<string> | undefined;
  const faults = { lost: 0, misordered: 0, wrong: 0 };
  for (let index = 0; index < texts.length; index += 1) {
    const row = index < got.rows ? got.at(index) : undefined;
    if (row === undefined) {
      faults.lost += 1;
      continue;
    }
    const key = keyOf(row);
    if (key === keyOf(Float32Array.from(expected(index)))) continue;
    owners ??= new Set(texts.map((_, other) => keyOf(Float32Array.from(expected(other)))));
    faults[owners.has(key) ? 'misordered' : 'wrong'] += 1;
  }
  return faults;
}
