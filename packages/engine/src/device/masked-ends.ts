/** Special tokens at a row's ends that are masked: no token attends to them, and they are not pooled. */
export interface MaskedEnds {
  readonly first: number;
  readonly last: number;
}

export const NOTHING_MASKED: MaskedEnds = { first: 0, last: 0 };

/** The places of a row that count, from `begin` up to `end`; none where the ends are all there is. */
export function countedPlaces(
  length: number,
  { first, last }: MaskedEnds,
): { readonly begin: number; readonly end: number } {
  const begin = Math.min(first, length);
  return { begin, end: Math.max(begin, length - last) };
}

/**
 * The places that a row's tokens attend to: those that count, or all of its own where none does. Google's
 * BERT then lowers every score by as much, which changes no share.
 */
export function attendedPlaces(
  length: number,
  masked: MaskedEnds,
): { readonly begin: number; readonly end: number } {
  const { begin, end } = countedPlaces(length, masked);
  return end > begin ? { begin, end } : { begin: 0, end: length };
}
