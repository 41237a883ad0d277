/**
 * The cosine between every row of `a` and the same row of `b`; 1 where both are zero, 0 where one is.
 *
 * @param a shape `[rows, dimensions]`, as `b`.
 */
export function rowCosines(a: Float32Array, b: Float32Array, dimensions: number): number[] {
  const cosines: number[] = [];
  for (let at = 0; at < a.length; at += dimensions) {
    let product = 0;
    let squaresA = 0;
    let squaresB = 0;
    for (let index = at; index < at + dimensions; index += 1) {
      product += a[index]! * b[index]!;
      squaresA += a[index]! ** 2;
      squaresB += b[index]! ** 2;
    }
    const lengths = Math.sqrt(squaresA * squaresB);
    cosines.push(lengths > 0 ? product / lengths : squaresA === squaresB ? 1 : 0);
  }
  return cosines;
}
