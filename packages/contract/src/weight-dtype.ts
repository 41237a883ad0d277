/**
 * How a model's matrices are kept, and multiplied.
 *
 * - `float32`: as they were trained.
 * - `int8`: in whole numbers, two to three times as fast; vectors differ a little (see the engine's `dtype`).
 */
export const WEIGHT_DTYPES = ['float32', 'int8'] as const;
export type WeightDtype = (typeof WEIGHT_DTYPES)[number];
