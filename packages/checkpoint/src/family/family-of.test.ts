import { describe, expect, it } from 'vitest';
import { formatBertConfig, parseBertConfig } from '../bert-config.ts';
import { MODEL_TYPES } from './encoder-family.ts';
import { familyOf } from './family-of.ts';

const SIZES = {
  vocab_size: 100,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
};
const SHAPE = { vocabularySize: 100, hiddenSize: 8, layers: 2, heads: 2, intermediateSize: 32 };

// As the models' own config.json have it, less sizes.
const ROBERTA = {
  ...SIZES,
  model_type: 'roberta',
  max_position_embeddings: 514,
  type_vocab_size: 1,
  layer_norm_eps: 1e-5,
  pad_token_id: 1,
  position_embedding_type: 'absolute',
};
const DISTILBERT = {
  model_type: 'distilbert',
  vocab_size: 100,
  dim: 8,
  n_layers: 2,
  n_heads: 2,
  hidden_dim: 32,
  max_position_embeddings: 512,
  activation: 'gelu',
  pad_token_id: 0,
};
const MPNET = {
  ...SIZES,
  model_type: 'mpnet',
  max_position_embeddings: 514,
  relative_attention_num_buckets: 32,
  layer_norm_eps: 1e-5,
  pad_token_id: 1,
};

describe('the config.json', () => {
  it.each(['roberta', 'xlm-roberta', 'camembert'])(
    'of %s has two positions more than a sequence tokens',
    (type) => {
      expect(parseBertConfig({ ...ROBERTA, model_type: type })).toEqual({
        ...SHAPE,
        modelType: type,
        maxPositions: 512,
        firstPosition: 2,
        segmentTypes: 1,
        layerNormEpsilon: 1e-5,
        activation: 'gelu',
        padTokenId: 1,
      });
    },
  );

  it('of RoBERTa counts positions from its pad token on, and has the defaults of transformers', () => {
    const { type_vocab_size: _, layer_norm_eps: __, ...bare } = ROBERTA;
    expect(parseBertConfig({ ...bare, pad_token_id: 3 })).toMatchObject({
      firstPosition: 4,
      maxPositions: 510,
      segmentTypes: 2,
      layerNormEpsilon: 1e-12,
    });
  });

  it('of DistilBERT has words of its own, no token types and no epsilon', () => {
    expect(parseBertConfig(DISTILBERT)).toEqual({
      ...SHAPE,
      modelType: 'distilbert',
      maxPositions: 512,
      segmentTypes: 0,
      layerNormEpsilon: 1e-12,
      activation: 'gelu',
      padTokenId: 0,
    });
  });

  it('of MPNet has kinds of distance, and positions from 2 on whatever its pad token', () => {
    expect(parseBertConfig({ ...MPNET, pad_token_id: 7 })).toEqual({
      ...SHAPE,
      modelType: 'mpnet',
      maxPositions: 512,
      firstPosition: 2,
      distanceBuckets: 32,
      segmentTypes: 0,
      layerNormEpsilon: 1e-5,
      activation: 'gelu',
      padTokenId: 7,
    });
  });

  it.each([
    ['RobertaModel', ROBERTA],
    ['XLMRobertaModel', { ...ROBERTA, model_type: 'xlm-roberta' }],
    ['CamembertModel', { ...ROBERTA, model_type: 'camembert' }],
    ['DistilBertModel', DISTILBERT],
    ['MPNetModel', MPNET],
  ])('of a %s is written as it was read', (architecture, json) => {
    const written = formatBertConfig(parseBertConfig(json));
    expect(written).toMatchObject({ ...json, architectures: [architecture] });
    expect(parseBertConfig(JSON.parse(JSON.stringify(written)))).toEqual(parseBertConfig(json));
  });

  it.each([
    ['not the config of a RoBERTa model', { ...ROBERTA, vocab_size: 0 }],
    ['position_embedding_type', { ...ROBERTA, position_embedding_type: 'relative_key' }],
    ['is_decoder', { ...ROBERTA, is_decoder: true }],
    [
      'max_position_embeddings must be more than pad_token_id + 1',
      { ...ROBERTA, max_position_embeddings: 2 },
    ],
    ['hidden_size must be a multiple', { ...ROBERTA, num_attention_heads: 3 }],
    ['dim must be a multiple of n_heads', { ...DISTILBERT, n_heads: 3 }],
    ['n_layers', { ...DISTILBERT, n_layers: 1e9 }],
    ['activation', { ...DISTILBERT, activation: 'swish' }],
    ['relative_attention_num_buckets', { ...MPNET, relative_attention_num_buckets: 16 }],
    ['max_position_embeddings must be more than 2', { ...MPNET, max_position_embeddings: 2 }],
  ])('is refused where %s', (fault, json) => {
    expect(() => parseBertConfig(json)).toThrow(fault);
  });
});

describe('familyOf', () => {
  it.each(MODEL_TYPES)('knows %s', (modelType) => {
    expect(familyOf(modelType).label).toMatch(/BERT|MPNet/i);
  });

  it('takes a model without a type for a BERT', () => {
    expect(familyOf().label).toBe('BERT');
  });

  it.each(['albert', 'deberta', 'modernbert', 'gpt2', 'nomic_bert', 'toString'])(
    'refuses %s, and says what works',
    (modelType) => {
      expect(() => familyOf(modelType)).toThrow(
        `[invalid_argument] the weights of model_type ${modelType} cannot be read, only those of bert, roberta, ` +
          'xlm-roberta, camembert, distilbert, mpnet; an ONNX export works',
      );
    },
  );
});
