import type { Shape } from '../bench-model.ts';
import type { SweepOptions } from './sweep-options.ts';

/** How much of a load a measurement holds. */
export interface SweepSizes {
  /** Length of a measurement, about. */
  readonly seconds: number;
  /** Texts of the calls that bert-as-service's benchmark has 2,048 of: what 32 clients ask for in a few seconds. */
  readonly seedCallTexts: number;
  /** Texts of the one bulk call that others are compared with. */
  readonly bulkTexts: number;
  /** Texts of the calls that several workers share. */
  readonly sharedCallTexts: number;
  readonly clients: readonly number[];
  readonly lengths: readonly number[];
  readonly callTexts: readonly number[];
  readonly workers: readonly number[];
  readonly rounds: number;
}

// bert-as-service's own places, and 64 and 128 clients.
const PLACES = {
  clients: [1, 2, 4, 8, 16, 32, 64, 128],
  lengths: [20, 40, 80, 160, 320],
  callTexts: [1, 4, 8, 16, 64, 256, 512, 1_024, 2_048, 4_096],
  workers: [1, 2, 4],
  rounds: 3,
};

// On two quiet cores minilm does about 400 texts/s and base 50.
const BASE = { seconds: 6, seedCallTexts: 8, bulkTexts: 512, sharedCallTexts: 4 };
const SIZES: Record<Shape | 'other', Omit<SweepSizes, keyof typeof PLACES>> = {
  tiny: { seconds: 1, seedCallTexts: 256, bulkTexts: 2_048, sharedCallTexts: 64 },
  minilm: { seconds: 3, seedCallTexts: 64, bulkTexts: 2_048, sharedCallTexts: 16 },
  base: BASE,
  other: BASE,
};

const QUICK: SweepSizes = {
  seconds: 0.3,
  seedCallTexts: 8,
  bulkTexts: 64,
  sharedCallTexts: 8,
  clients: [1, 2, 3],
  lengths: [20, 40],
  callTexts: [1, 16],
  workers: [1, 2],
  rounds: 1,
};

export function sweepSizes(
  shape: Shape | 'other',
  { quick, seconds, rounds }: Pick<SweepOptions, 'quick' | 'seconds' | 'rounds'>,
): SweepSizes {
  const sizes = quick ? QUICK : { ...SIZES[shape], ...PLACES };
  return { ...sizes, seconds: seconds ?? sizes.seconds, rounds: rounds ?? sizes.rounds };
}
