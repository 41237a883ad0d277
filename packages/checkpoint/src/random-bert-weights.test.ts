import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BertConfig } from './bert-config.ts';
import { weightOf } from './bert-weights.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { BERT_SHAPES } from './random-model.ts';

const config: BertConfig = { ...BERT_SHAPES.tiny, vocabularySize: 1000 };

describe('randomBertWeights', () => {
  it('gives these bits for seed 1, on every machine', () => {
    const hash = createHash('sha256');
    for (const { read } of randomBertWeights(config, 1).values()) {
      const values = read();
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    expect(hash.digest('hex')).toBe('b663f7415321060c590a15db908665d27faf706b4e8ed942613c305608ecb184');
  });

  it('gives a tensor the same values whenever it is read, and others for another seed', () => {
    const name = 'encoder.layer.0.output.dense.weight';
    const weights = randomBertWeights(config, 1);
    expect(weightOf(weights, name).read()).toEqual(weightOf(weights, name).read());
    expect(weightOf(weights, name).read()).not.toEqual(weightOf(randomBertWeights(config, 2), name).read());
  });

  it.each([
    ['embeddings.word_embeddings.weight', 0, 0.05],
    ['embeddings.position_embeddings.weight', 0, 0.01],
    ['encoder.layer.1.attention.self.key.weight', 0, 1 / Math.sqrt(128)],
    ['encoder.layer.1.output.dense.weight', 0, 1 / Math.sqrt(512)],
  ])('%s has mean %d and standard deviation %d', (name, mean, deviation) => {
    const values = weightOf(randomBertWeights(config, 1), name).read();
    const gotMean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - gotMean) ** 2, 0) / values.length;
    expect(gotMean).toBeCloseTo(mean, 2);
    expect(Math.sqrt(variance) / deviation).toBeCloseTo(1, 1);
  });
});
