import type { BertConfig } from '@embedfarm/checkpoint/bert-config';
import { weightOf, type BertWeights } from '@embedfarm/checkpoint/bert-weights';
import type { Pooling } from '@embedfarm/checkpoint/pooling';
import { erf } from './erf.ts';

export interface ReferenceOptions {
  /** Encoder blocks to run; all of them by default. */
  readonly layers?: number;
  /** Places in the list of the outputs of these blocks, negative ones from its end; [-1] by default. */
  readonly poolingLayers?: readonly number[];
  /** Token type of every token; all 0 by default. */
  readonly types?: readonly number[];
  /** 0 for a token that no token may attend to, else 1; all 1 by default. */
  readonly mask?: readonly number[];
}

/**
 * Hidden states of one sequence in float64, written plainly from the papers: what a device is
 * measured against.
 *
 * @param ids shape `[tokens]`, special tokens included.
 * @returns   shape `[tokens, poolingLayers * hidden]`, the states after these blocks side by side.
 *
 * Source: Devlin et al., "BERT", 2018 (https://arxiv.org/abs/1810.04805); Vaswani et al., "Attention is
 * all you need", 2017 (https://arxiv.org/abs/1706.03762), sections 3.2 and 3.3; Ba et al., "Layer
 * normalization", 2016 (https://arxiv.org/abs/1607.06450); Hendrycks & Gimpel, "GELU", 2016
 * (https://arxiv.org/abs/1606.08415); Liu et al., "RoBERTa", 2019 (https://arxiv.org/abs/1907.11692); Sanh et
 * al., "DistilBERT", 2019 (https://arxiv.org/abs/1910.01108); Song et al., "MPNet", 2020
 * (https://arxiv.org/abs/2004.09297).
 */
export function referenceHidden(
  config: BertConfig,
  weights: BertWeights,
  ids: readonly number[],
  options: ReferenceOptions = {},
): Float64Array {
  const { layers = config.layers, poolingLayers = [-1], types = ids.map(() => 0) } = options;
  const { mask = ids.map(() => 1) } = options;
  const model: Model = { config, weights };
  const outputs: Float64Array[] = [];
  let hidden = embed(model, ids, types);
  for (let layer = 0; layer < layers; layer += 1) {
    const block = `encoder.layer.${layer}`;
    const context = attend(model, `${block}.attention.self`, hidden, mask);
    const attended = linear(model, `${block}.attention.output.dense`, context);
    const middle = layerNorm(model, `${block}.attention.output.LayerNorm`, add(attended, hidden));
    const wide = linear(model, `${block}.intermediate.dense`, middle).map(ACTIVATION[config.activation]);
    const narrow = linear(model, `${block}.output.dense`, wide);
    hidden = layerNorm(model, `${block}.output.LayerNorm`, add(narrow, middle));
    outputs.push(hidden);
  }
  const pooled = poolingLayers.map((layer) => outputs.at(layer) ?? new Float64Array(0));
  return Float64Array.from(
    ids.flatMap((_, token) =>
      pooled.flatMap((states) => [
        ...states.subarray(token * config.hiddenSize, (token + 1) * config.hiddenSize),
      ]),
    ),
  );
}

/**
 * Hidden states to one vector, or for `none` to one a token.
 *
 * @param hidden shape `[tokens, size]`.
 * @param mask   shape `[tokens]`: 0 for a token that does not count, else 1; all 1 by default.
 * @returns      shape `[size]`, `[2 * size]` for `mean_max`, `[tokens, size]` for `none`; each vector of
 *   length 1 where `normalize` is true.
 *
 * Source: https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/graph.py.
 */
export function referencePool(
  hidden: Float64Array,
  tokens: number,
  size: number,
  pooling: Exclude<Pooling, 'cls_pooled'>,
  normalize: boolean,
  mask: readonly number[] = Array.from({ length: tokens }, () => 1),
): Float64Array {
  const state = (token: number): Float64Array => hidden.slice(token * size, (token + 1) * size);
  const places = Array.from({ length: tokens }, (_, token) => token);
  const count = mask.reduce((sum, counts) => sum + counts, 0);
  // The sum is a float32 there: 1e-10 is lost in all but 0.
  const divisor = Math.fround(count + 1e-10);
  const mean = (): Float64Array =>
    state(0).map((_, i) => {
      const sum = places.reduce((total, token) => total + at(state(token), i) * at(mask, token), 0);
      return sum / divisor;
    });
  const max = (): Float64Array =>
    state(0).map((_, i) =>
      Math.max(...places.map((token) => at(state(token), i) - (1 - at(mask, token)) * 1e30)),
    );
  const unit = (vector: Float64Array): Float64Array => (normalize ? scaled(vector) : vector);
  switch (pooling) {
    case 'none':
      return joined(places.map((token) => unit(state(token).map((value) => value * at(mask, token)))));
    case 'mean':
      return unit(mean());
    case 'max':
      return unit(max());
    case 'mean_max':
      return unit(joined([mean(), max()]));
    case 'cls':
      return unit(state(0));
    case 'last_token':
      // With no token that counts there is no such place; a GPU then gave zeros.
      return unit(count === 0 ? new Float64Array(size) : state(count - 1));
  }
}

/**
 * `cls_pooled`: the first token's state after the last block, through the pooler.
 *
 * @param hidden shape `[tokens, hidden]`.
 * @returns      shape `[hidden]`.
 */
export function referencePooler(
  config: BertConfig,
  weights: BertWeights,
  hidden: Float64Array,
): Float64Array {
  return linear({ config, weights }, 'pooler.dense', hidden.subarray(0, config.hiddenSize)).map(Math.tanh);
}

function scaled(vector: Float64Array): Float64Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}

function joined(vectors: readonly Float64Array[]): Float64Array {
  return Float64Array.from(vectors.flatMap((vector) => [...vector]));
}

interface Model {
  readonly config: BertConfig;
  readonly weights: BertWeights;
}

const ACTIVATION: Record<BertConfig['activation'], (x: number) => number> = {
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
};

function embed(model: Model, ids: readonly number[], types: readonly number[]): Float64Array {
  const { hiddenSize, segmentTypes, firstPosition = 0 } = model.config;
  const words = weightOf(model.weights, 'embeddings.word_embeddings.weight').read();
  const places = weightOf(model.weights, 'embeddings.position_embeddings.weight').read();
  const segments = segmentTypes
    ? weightOf(model.weights, 'embeddings.token_type_embeddings.weight').read()
    : new Float32Array(hiddenSize);
  const sum = new Float64Array(ids.length * hiddenSize);
  ids.forEach((id, place) => {
    for (let i = 0; i < hiddenSize; i += 1) {
      sum[place * hiddenSize + i] =
        at(words, id * hiddenSize + i) +
        at(places, (firstPosition + place) * hiddenSize + i) +
        at(segments, at(types, place) * hiddenSize + i);
    }
  });
  return layerNorm(model, 'embeddings.LayerNorm', sum);
}

/** Scaled dot-product attention, head by head. A masked token's scores are 10,000 lower, as in Google's BERT. */
function attend(model: Model, name: string, hidden: Float64Array, mask: readonly number[]): Float64Array {
  const { hiddenSize, heads, distanceBuckets = 0 } = model.config;
  const biases =
    distanceBuckets > 0
      ? weightOf(model.weights, 'encoder.relative_attention_bias.weight').read()
      : new Float32Array(0);
  const query = linear(model, `${name}.query`, hidden);
  const key = linear(model, `${name}.key`, hidden);
  const value = linear(model, `${name}.value`, hidden);
  const headSize = hiddenSize / heads;
  const tokens = hidden.length / hiddenSize;
  const context = new Float64Array(hidden.length);
  for (let head = 0; head < heads; head += 1) {
    const column = head * headSize;
    for (let from = 0; from < tokens; from += 1) {
      const scores = new Float64Array(tokens);
      for (let to = 0; to < tokens; to += 1) {
        let dot = 0;
        for (let i = 0; i < headSize; i += 1) {
          dot += at(query, from * hiddenSize + column + i) * at(key, to * hiddenSize + column + i);
        }
        const apart = distanceBuckets > 0 ? at(biases, bucket(to - from) * heads + head) : 0;
        scores[to] = dot / Math.sqrt(headSize) + apart - (1 - at(mask, to)) * 10_000;
      }
      softmax(scores).forEach((share, to) => {
        for (let i = 0; i < headSize; i += 1) {
          const place = from * hiddenSize + column + i;
          context[place] = at(context, place) + share * at(value, to * hiddenSize + column + i);
        }
      });
    }
  }
  return context;
}

/**
 * T5's relative_position_bucket for 32 buckets and a greatest distance of 128, as MPNet has it. Rounded up a
 * little: a logarithm that falls short of a whole number by 1e-16 would give the bucket before.
 */
function bucket(ahead: number): number {
  const half = ahead > 0 ? 16 : 0;
  const length = Math.abs(ahead);
  if (length < 8) return half + length;
  const shared = Math.floor((Math.log(length / 8) / Math.log(128 / 8)) * 8 + 1e-9);
  return half + Math.min(8 + shared, 15);
}

function softmax(scores: Float64Array): Float64Array {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** x·Wᵀ + b with W of shape [out, in]. */
function linear({ weights }: Model, name: string, input: Float64Array): Float64Array {
  const { shape, read } = weightOf(weights, `${name}.weight`);
  const matrix = Float64Array.from(read());
  const bias = weightOf(weights, `${name}.bias`).read();
  const [outputs, inputs] = [at(shape, 0), at(shape, 1)];
  const rows = input.length / inputs;
  const output = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row += 1) {
    const x = input.subarray(row * inputs, (row + 1) * inputs);
    for (let column = 0; column < outputs; column += 1) {
      let sum = at(bias, column);
      for (let i = 0; i < inputs; i += 1) sum += at(x, i) * at(matrix, column * inputs + i);
      output[row * outputs + column] = sum;
    }
  }
  return output;
}

function layerNorm({ config, weights }: Model, name: string, input: Float64Array): Float64Array {
  const { hiddenSize, layerNormEpsilon } = config;
  const scale = weightOf(weights, `${name}.weight`).read();
  const shift = weightOf(weights, `${name}.bias`).read();
  const output = new Float64Array(input.length);
  for (let start = 0; start < input.length; start += hiddenSize) {
    const row = input.subarray(start, start + hiddenSize);
    const mean = row.reduce((sum, value) => sum + value, 0) / hiddenSize;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / hiddenSize;
    row.forEach((value, i) => {
      const unit = (value - mean) / Math.sqrt(variance + layerNormEpsilon);
      output[start + i] = unit * at(scale, i) + at(shift, i);
    });
  }
  return output;
}

function add(left: Float64Array, right: Float64Array): Float64Array {
  return left.map((value, i) => value + at(right, i));
}

/** An element that is there. Out of range it is not a number, which no comparison lets pass. */
function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? Number.NaN;
}
