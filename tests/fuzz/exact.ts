import { fakeVector } from '@embedfarm/testkit/fake-encoder';
import type { AnyEmbeddings, EncodedRow } from '@embedfarm/sdk';
import { Inexact } from './judge.ts';

/** @throws Inexact unless each text has its own float32 vector. */
export function checkVectors(embeddings: AnyEmbeddings, texts: readonly string[]): void {
  if (embeddings.rows !== texts.length) throw new Inexact(`${embeddings.rows} rows of ${texts.length} texts`);
  for (const [index, text] of texts.entries()) checkVector(embeddings.at(index), text);
}

/** @throws Inexact unless the rows are those of the texts, each once and in order. */
export function checkRows(rows: readonly EncodedRow[], texts: readonly string[]): void {
  if (rows.length !== texts.length) throw new Inexact(`${rows.length} rows of ${texts.length} texts`);
  for (const [index, text] of texts.entries()) {
    const row = rows[index];
    if (row?.index !== index) throw new Inexact(`row ${row?.index} at place ${index}`);
    if (row.error) throw row.error;
    checkVector(row.vector, text);
  }
}

function checkVector(got: ArrayLike<number>, text: string): void {
  const expected = fakeVector(text);
  if (got.length === expected.length && expected.every((number, at) => number === got[at])) return;
  throw new Inexact(
    `${JSON.stringify(text.slice(0, 40))} has ${Array.from(got).join(' ')}, not ${expected.join(' ')}`,
  );
}
