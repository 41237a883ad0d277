/**
 * Scales a vector to length 1 where `normalize` holds, in place. A vector of zeros stays as it is.
 *
 * @returns false where a number of it is infinite or none.
 */
export function scaleRow(row: Float32Array, normalize: boolean): boolean {
  let squares = 0;
  for (const value of row) squares += value * value;
  if (!Number.isFinite(squares)) return false;
  if (!normalize || squares === 0) return true;
  const length = Math.sqrt(squares);
  for (let index = 0; index < row.length; index += 1) row[index] = (row[index] ?? 0) / length;
  return true;
}
