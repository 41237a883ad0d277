import type { BertConfig } from './bert-config.ts';
import { bertWeightShapes, poolerWeightShapes, type BertWeights, type WeightTensor } from './bert-weights.ts';

// Words must outweigh places and segments, which all texts share: with equal scales the mean vectors
// of any two texts point the same way.
const WORD_SCALE = 0.05;
const PLACE_SCALE = 0.01;
const BIAS_SCALE = 0.02;

/**
 * Weights of an untrained encoder. Same config and seed, same bits on every machine: only integer
 * arithmetic and the exactly rounded operations of IEEE 754 are used. Each tensor has a generator of
 * its own, so they may be read in any order.
 */
export function randomBertWeights(
  config: BertConfig,
  seed: number,
  { pooler = false }: { pooler?: boolean } = {},
): BertWeights {
  const weights = new Map<string, WeightTensor>();
  const shapes = [...bertWeightShapes(config), ...(pooler ? poolerWeightShapes(config) : [])];
  for (const [name, shape] of shapes) {
    weights.set(name, { shape, read: () => randomTensor(name, shape, seed) });
  }
  return weights;
}

function randomTensor(name: string, shape: readonly number[], seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
  const scale = scaleOf(name, shape);
  const centre = name.endsWith('LayerNorm.weight') ? 1 : 0;
  const draw = bellDraws(hash(name, seed));
  for (let i = 0; i < values.length; i += 1) values[i] = centre + scale * draw();
  return values;
}

/** Standard deviation. A linear layer's keeps the variance of what goes through it. */
function scaleOf(name: string, shape: readonly number[]): number {
  if (name.endsWith('word_embeddings.weight')) return WORD_SCALE;
  if (name.startsWith('embeddings.') && shape.length === 2) return PLACE_SCALE;
  const [, inputs] = shape;
  return inputs === undefined ? BIAS_SCALE : 1 / Math.sqrt(inputs);
}

/**
 * Numbers of mean 0 and variance 1: the sum of four uniform 16-bit integers, scaled. Box and Muller's
 * form is not used because log and cos may differ in the last bit between machines.
 */
function bellDraws(seed: number): () => number {
  const next = mulberry32(seed);
  const mean = 2 * 65_535;
  const deviation = Math.sqrt((4 * (65_536 ** 2 - 1)) / 12);
  return () => {
    const a = next();
    const b = next();
    return ((a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16) - mean) / deviation;
  };
}

/** Tommy Ettinger's Mulberry32: 32 bits of state, 32 bits a draw. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** FNV-1a over the UTF-16 units, begun with the seed. */
function hash(text: string, seed: number): number {
  let mixed = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i += 1) mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x01000193);
  return mixed;
}
