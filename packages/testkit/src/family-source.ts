import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBertConfig, type BertConfig } from '@embedfarm/checkpoint/bert-config';
import type { BertWeights, WeightTensor } from '@embedfarm/checkpoint/bert-weights';
import type { ModelType } from '@embedfarm/checkpoint/family/encoder-family';
import { familyOf } from '@embedfarm/checkpoint/family/family-of';
import { ownName } from '@embedfarm/checkpoint/family/tensor-names';
import { randomBertWeights } from '@embedfarm/checkpoint/random-bert-weights';
import { familyTokenizer } from './family-tokenizers.ts';
import { safetensorsOf } from './safetensors-of.ts';

/** Longest sequence of these models: longer than the distances that MPNet tells apart. */
export const FAMILY_POSITIONS = 160;

export interface FamilySource {
  /** As Hugging Face lays it out: config.json, model.safetensors, tokenizer files. */
  readonly directory: string;
  readonly config: BertConfig;
  readonly weights: BertWeights;
  /** By id. */
  readonly tokens: readonly string[];
}

/** A pretrained model of a family in miniature: 3 blocks of 32, 2 heads, random weights. */
export async function writeFamilySource(
  directory: string,
  modelType: ModelType,
  hiddenAct = 'gelu',
): Promise<FamilySource> {
  const { files, tokens } = familyTokenizer(modelType);
  const json = { ...configFields(modelType, hiddenAct), vocab_size: tokens.length };
  const config = parseBertConfig(json);
  const { tensorNames, hasPooler } = familyOf(modelType);
  const weights = randomBertWeights(config, 1, { pooler: hasPooler });
  const own = [...weights].map(([name, tensor]): [string, WeightTensor] => [
    `${tensorNames.prefix}.${ownName(tensorNames, name)}`,
    tensor,
  ]);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.json'), JSON.stringify(json));
  await writeFile(join(directory, 'model.safetensors'), safetensorsOf(new Map(own)));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return { directory, config, weights, tokens };
}

function configFields(modelType: ModelType, hiddenAct: string): Record<string, unknown> {
  const usual = {
    model_type: modelType,
    hidden_size: 32,
    num_hidden_layers: 3,
    num_attention_heads: 2,
    intermediate_size: 64,
    max_position_embeddings: FAMILY_POSITIONS,
    hidden_act: hiddenAct,
  };
  // Their tables have a row for padding and one before it.
  const afterPad = { ...usual, max_position_embeddings: FAMILY_POSITIONS + 2, pad_token_id: 1 };
  switch (modelType) {
    case 'bert':
      return { ...usual, type_vocab_size: 2, pad_token_id: 0 };
    case 'roberta':
    case 'xlm-roberta':
    case 'camembert':
      return { ...afterPad, type_vocab_size: 1, layer_norm_eps: 1e-5 };
    case 'mpnet':
      return { ...afterPad, relative_attention_num_buckets: 32, layer_norm_eps: 1e-5 };
    case 'distilbert':
      return {
        model_type: modelType,
        dim: 32,
        n_layers: 3,
        n_heads: 2,
        hidden_dim: 64,
        max_position_embeddings: FAMILY_POSITIONS,
        activation: hiddenAct,
        pad_token_id: 0,
      };
  }
}
