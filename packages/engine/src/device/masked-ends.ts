/**
 * Special tokens of a row that are masked, those at its ends and those between the segments of a pair: no token
 * attends to them, and they are not pooled.
 */
export interface MaskedEnds {
  readonly first: number;
  /** Before the second segment; 0 by default. */
  readonly between?: number | undefined;
  readonly last: number;
}

export const NOTHING_MASKED: MaskedEnds = { first: 0, last: 0 };

/** Places of a row from `begin` up to `end`. */
export interface Places {
  readonly begin: number;
  readonly end: number;
}

/**
 * The places of a row that count, in their order; none where special tokens are all there is.
 *
 * @param secondAt of a pair the place of the second segment's first token, else 0.
 */
export function countedPlaces(
  length: number,
  { first, between = 0, last }: MaskedEnds,
  secondAt = 0,
): readonly Places[] {
  const begin = Math.min(first, length);
  const end = Math.max(begin, length - last);
  if (secondAt === 0 || between === 0) return filled([{ begin, end }]);
  return filled([
    { begin, end: secondAt - between },
    { begin: secondAt, end },
  ]);
}

/**
 * The places that a row's tokens attend to: those that count, or all of its own where none does. Google's
 * BERT then lowers every score by as much, which changes no share.
 */
export function attendedPlaces(length: number, masked: MaskedEnds, secondAt = 0): readonly Places[] {
  const counted = countedPlaces(length, masked, secondAt);
  return counted.length > 0 ? counted : [{ begin: 0, end: length }];
}

/** What is left of places when those before `begin` are taken away. */
export function placesFrom(places: readonly Places[], begin: number): readonly Places[] {
  return filled(places.map((run) => ({ begin: Math.max(run.begin, begin), end: run.end })));
}

export function countPlaces(places: readonly Places[]): number {
  return places.reduce((sum, { begin, end }) => sum + end - begin, 0);
}

function filled(places: readonly Places[]): readonly Places[] {
  return places.filter(({ begin, end }) => end > begin);
}
