/**
 * The error function to about 1e-15: e^(-x²) times a series of positive terms, so nothing cancels.
 *
 * Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 7.1.6.
 */
export function erf(x: number): number {
  // 1 - erf(6) is 2e-17, less than float64 resolves at 1.
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
