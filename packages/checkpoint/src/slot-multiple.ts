/**
 * Slots a row come in sixteens, as many as a vector of AVX-512 holds: the runtime's Softmax takes what is left
 * over one lane at a time, and three times as long over 28 slots as over 32 (8 % of a run in int8). Without AVX it
 * sums four at a time, so that with any other number the order of a sum, and its last bits, would hang on S: on
 * an emulated Nehalem 106 of 174 rows differed (by 2e-6 at most), and none with fours.
 */
export const SLOT_MULTIPLE = 16;
