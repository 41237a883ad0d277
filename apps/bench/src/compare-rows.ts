/** A vector. */
export type Row = readonly number[] | Float32Array;

export interface RowComparison {
  readonly minCosine: number;
  readonly meanCosine: number;
  readonly maxDifference: number;
}

/** Row by row. NaN where the second has fewer rows or numbers. */
export function compareRows(rows: readonly Row[], others: readonly Row[]): RowComparison {
  const cosines = rows.map((row, index) => cosine(row, others[index] ?? []));
  const differences = rows.map((row, index) => largestDifference(row, others[index] ?? []));
  return {
    minCosine: cosines.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY),
    meanCosine: cosines.reduce((sum, one) => sum + one, 0) / cosines.length,
    maxDifference: differences.reduce((most, one) => Math.max(most, one), 0),
  };
}

export function cosine(row: Row, other: Row): number {
  let dot = 0;
  let square = 0;
  let otherSquare = 0;
  for (let i = 0; i < row.length; i += 1) {
    const a = row[i] ?? Number.NaN;
    const b = other[i] ?? Number.NaN;
    dot += a * b;
    square += a * a;
    otherSquare += b * b;
  }
  return dot / Math.sqrt(square * otherSquare);
}

function largestDifference(row: Row, other: Row): number {
  let most = 0;
  for (let i = 0; i < row.length; i += 1) {
    most = Math.max(most, Math.abs((row[i] ?? Number.NaN) - (other[i] ?? Number.NaN)));
  }
  return most;
}
