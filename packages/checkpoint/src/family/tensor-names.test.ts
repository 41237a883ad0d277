import { describe, expect, it } from 'vitest';
import { BERT } from './bert.ts';
import { DISTILBERT } from './distilbert.ts';
import { MPNET } from './mpnet.ts';
import { ROBERTA } from './roberta.ts';
import { bertName, ownName } from './tensor-names.ts';

// The names that transformers writes, in the order of the forward pass.
const BERT_BLOCK = [
  'encoder.layer.7.attention.self.query',
  'encoder.layer.7.attention.self.key',
  'encoder.layer.7.attention.self.value',
  'encoder.layer.7.attention.output.dense',
  'encoder.layer.7.attention.output.LayerNorm',
  'encoder.layer.7.intermediate.dense',
  'encoder.layer.7.output.dense',
  'encoder.layer.7.output.LayerNorm',
];
const DISTILBERT_BLOCK = [
  'transformer.layer.7.attention.q_lin',
  'transformer.layer.7.attention.k_lin',
  'transformer.layer.7.attention.v_lin',
  'transformer.layer.7.attention.out_lin',
  'transformer.layer.7.sa_layer_norm',
  'transformer.layer.7.ffn.lin1',
  'transformer.layer.7.ffn.lin2',
  'transformer.layer.7.output_layer_norm',
];
const MPNET_BLOCK = [
  'encoder.layer.7.attention.attn.q',
  'encoder.layer.7.attention.attn.k',
  'encoder.layer.7.attention.attn.v',
  'encoder.layer.7.attention.attn.o',
  'encoder.layer.7.attention.LayerNorm',
  'encoder.layer.7.intermediate.dense',
  'encoder.layer.7.output.dense',
  'encoder.layer.7.output.LayerNorm',
];
const OUTER = [
  'embeddings.word_embeddings.weight',
  'embeddings.position_embeddings.weight',
  'embeddings.LayerNorm.bias',
  'pooler.dense.weight',
  'encoder.relative_attention_bias.weight',
];

describe.each([
  ['BERT', BERT, 'bert.', BERT_BLOCK],
  ['RoBERTa', ROBERTA, 'roberta.', BERT_BLOCK],
  ['DistilBERT', DISTILBERT, 'distilbert.', DISTILBERT_BLOCK],
  ['MPNet', MPNET, 'mpnet.', MPNET_BLOCK],
])('the tensors of a %s', (_, { tensorNames }, prefix, block) => {
  it('have names of their own in the blocks', () => {
    const bert = BERT_BLOCK.map((part) => `${part}.weight`);
    expect(bert.map((name) => ownName(tensorNames, name))).toEqual(block.map((part) => `${part}.weight`));
    expect(OUTER.map((name) => ownName(tensorNames, name))).toEqual(OUTER);
  });

  it.each(['', prefix, '0.auto_model.'])('are found under the prefix "%s"', (before) => {
    for (const [place, part] of block.entries()) {
      const name = `${BERT_BLOCK[place]}.bias`;
      expect(bertName(tensorNames, `${before}${part}.bias`)).toEqual({ prefix: before, name });
    }
    for (const name of OUTER) {
      expect(bertName(tensorNames, before + name)).toEqual({ prefix: before, name });
    }
  });

  it.each([
    'lm_head.dense.weight',
    'lm_head.layer_norm.weight',
    'vocab_transform.weight',
    'vocab_layer_norm.bias',
    'classifier.dense.weight',
    'embeddings.position_ids',
    'encoder.layer.0.attention.self.distance_embedding.weight',
    'encoder.layer.0.crossattention.self.query.weight',
  ])('do not include %s', (name) => {
    expect(bertName(tensorNames, prefix + name)).toBeUndefined();
  });
});
