import { describe, expect, it } from 'vitest';
import { formatBertConfig, parseBertConfig } from './bert-config.ts';

const JSON_CONFIG = {
  vocab_size: 100,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 16,
  hidden_dropout_prob: 0.1,
};

describe('parseBertConfig', () => {
  it('reads a config.json, with the defaults of its format, and passes over the rest', () => {
    expect(parseBertConfig(JSON_CONFIG)).toEqual({
      vocabularySize: 100,
      hiddenSize: 8,
      layers: 2,
      heads: 2,
      intermediateSize: 32,
      maxPositions: 16,
      segmentTypes: 2,
      layerNormEpsilon: 1e-12,
      activation: 'gelu',
      padTokenId: 0,
    });
  });

  it.each([
    ['gelu', 'gelu'],
    ['gelu_python', 'gelu'],
    ['gelu_new', 'gelu_tanh'],
    ['gelu_pytorch_tanh', 'gelu_tanh'],
  ])('reads the activation %s as %s', (hidden_act, activation) => {
    expect(parseBertConfig({ ...JSON_CONFIG, hidden_act }).activation).toBe(activation);
  });

  it.each([
    ['hidden_act', { hidden_act: 'swish' }],
    ['the weights of model_type albert cannot be read, only those of bert, ro', { model_type: 'albert' }],
    ['position_embedding_type', { position_embedding_type: 'relative_key' }],
    ['hidden_size must be a multiple of num_attention_heads', { num_attention_heads: 3 }],
    ['vocab_size', { vocab_size: 0 }],
    ['layer_norm_eps', { layer_norm_eps: 1e39 }],
    ['at model_type', { model_type: 'x'.repeat(101) }],
  ])('refuses what it could not compute, and names %s', (named, fields) => {
    expect(() => parseBertConfig({ ...JSON_CONFIG, ...fields })).toThrow(named);
  });

  it.each(['gelu', 'gelu_new'])('reads back what formatBertConfig wrote, with %s', (hidden_act) => {
    const config = parseBertConfig({ ...JSON_CONFIG, hidden_act });
    expect(parseBertConfig(JSON.parse(JSON.stringify(formatBertConfig(config))))).toEqual(config);
  });
});
