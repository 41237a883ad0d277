/** A list as JSON, a piece a row. */
export function* listPieces(rows: number, rowOf: (index: number) => unknown): Generator<string> {
  yield '[';
  for (let index = 0; index < rows; index += 1) {
    const row = JSON.stringify(rowOf(index));
    yield index === 0 ? row : `,${row}`;
  }
  yield ']';
}
