/**
 * Round marks from 0 to at least the greatest value, about four steps of 1, 2 or 5 times a power of ten.
 * With `whole`, no step is below 1: there is no half client.
 */
export function roundMarks(greatest, { whole = false } = {}) {
  if (!(greatest > 0)) return [0];
  const rough = greatest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough) ?? 10;
  const step = whole ? Math.max(1, factor * power) : factor * power;
  const marks = Math.ceil(greatest / step - 1e-9);
  // Multiplied, not summed, and rounded to the step's digits: 0.3, not 0.30000000000000004.
  return Array.from({ length: marks + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
