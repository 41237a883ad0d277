/**
 * How much of a channel's size moves from the activations into the weights. On all-MiniLM-L6-v2 the worst of 34
 * probe texts has the cosine 0.987 to float32 with 0.5, 0.9925 with 0.7 and 0.9914 with 0.85. Only layers behind a
 * norm gain by it.
 */
const SHARE = 0.7;

/** How far what was seen may be exceeded: with 1 the worst text has 0.9930, with 1.25 0.9900. */
const MARGIN = 1.1;

const SMALLEST = 1e-6;

/**
 * What every input channel of a matrix product is divided by, and the matrix's row multiplied with, before both
 * become whole numbers: then numbers as large as those that were seen lie between -1 and 1, in channels of like
 * size. One channel that is ten times the others would take all but a few levels from them.
 *
 * @param matrix shape `[inputs, outputs]`.
 * @param sizes  shape `[inputs]`: the largest size that each channel had over some texts.
 * @returns      shape `[inputs]`: size^0.7 / weight^0.3 in proportion, where `weight` is the largest of the
 *   channel's row.
 *
 * Source: Xiao et al., "SmoothQuant", 2022 (https://arxiv.org/abs/2211.10438), equation 4.
 */
export function channelFactors(matrix: Float32Array, sizes: Float32Array): Float32Array {
  const outputs = matrix.length / sizes.length;
  const factors = sizes.map((size, channel) => {
    let largest = 0;
    for (let at = channel * outputs; at < (channel + 1) * outputs; at += 1) {
      largest = Math.max(largest, Math.abs(matrix[at]!));
    }
    return Math.max(size, SMALLEST) ** SHARE / Math.max(largest, SMALLEST) ** (1 - SHARE);
  });
  const largest = sizes.reduce((most, size, channel) => Math.max(most, size / factors[channel]!), SMALLEST);
  return factors.map((factor) => factor * largest * MARGIN);
}

/** Every row of a matrix `[inputs, outputs]` times its channel's factor. */
export function scaleChannels(matrix: Float32Array, factors: Float32Array): Float32Array {
  const outputs = matrix.length / factors.length;
  return matrix.map((value, at) => value * factors[Math.floor(at / outputs)]!);
}
