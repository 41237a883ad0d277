import { describe, expect, it } from 'vitest';
import type { BertConfig } from './bert-config.ts';
import { bertGraph } from './bert-graph.ts';
import { checkBertWeights, type WeightTensor } from './bert-weights.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { BERT_SHAPES } from './random-model.ts';

const config: BertConfig = { ...BERT_SHAPES.tiny, vocabularySize: 300 };

describe('checkBertWeights', () => {
  it('takes weights that fit, and more than are needed', () => {
    const weights = new Map(randomBertWeights(config, 1));
    weights.set('pooler.dense.weight', { shape: [128, 128], read: () => new Float32Array(128 * 128) });
    expect(() => checkBertWeights(config, weights)).not.toThrow();
  });

  it('names every tensor that is missing or has another shape', () => {
    const weights = new Map<string, WeightTensor>(randomBertWeights(config, 1));
    weights.delete('encoder.layer.1.output.dense.bias');
    weights.set('embeddings.LayerNorm.weight', { shape: [64], read: () => new Float32Array(64) });
    expect(() => checkBertWeights(config, weights)).toThrow(
      '[invalid_argument] the weights do not fit the config: ' +
        'embeddings.LayerNorm.weight is [64], expected [128]; ' +
        'encoder.layer.1.output.dense.bias is missing, expected [128]',
    );
  });

  it('names eight of many, and how many more there are', () => {
    expect(() => checkBertWeights(config, new Map())).toThrow(
      /embeddings\.word_embeddings\.weight is missing, expected \[\d+, 128\]; .*; and 29 more$/,
    );
  });

  it('does not ask for blocks that are cut off', () => {
    const weights = new Map(randomBertWeights(config, 1));
    weights.delete('encoder.layer.1.output.dense.bias');
    expect(() => bertGraph(config, weights, { layers: 1 })).not.toThrow();
    expect(() => bertGraph(config, weights)).toThrow('encoder.layer.1.output.dense.bias is missing');
  });
});

describe('bertGraph', () => {
  it.each([0, 3, 1.5, -1])('refuses to keep %d of 2 blocks', (layers) => {
    expect(() => bertGraph(config, randomBertWeights(config, 1), { layers })).toThrow(
      `[invalid_argument] layers must be 1 to 2, got ${layers}`,
    );
  });
});
