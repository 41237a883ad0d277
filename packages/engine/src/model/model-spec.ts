import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import type { Pooling } from '../device/pool-hidden.ts';
import { findModelFiles, missingFile, readModelJson, type ModelFiles } from './model-files.ts';
import { readSentenceModules } from './sentence-modules.ts';

/** All that the engine has to know of a model beside its weights. */
export interface ModelSpec {
  readonly files: ModelFiles;
  /** `packed`: our own graph, without padding. `padded`: any other export. */
  readonly graph: 'packed' | 'padded';
  readonly vocabularySize: number;
  /** Size of a hidden state, and of a vector. */
  readonly dimensions: number;
  readonly heads: number;
  /** Encoder layers in the graph. */
  readonly layers: number;
  readonly padId: number;
  /** Most tokens of a sequence, special ones included. */
  readonly maxSequenceLength: number;
  readonly pooling: Pooling;
  readonly normalize: boolean;
  /** False for the embedded random model. */
  readonly meaningful: boolean;
  /** Of a vocab.txt; a tokenizer.json has its own. */
  readonly casing: Casing;
}

export interface Casing {
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
  readonly splitHan: boolean;
}

/** What the caller of the engine wants otherwise than the model says. */
export interface ModelWishes {
  readonly pooling?: Pooling | undefined;
  readonly normalize?: boolean | undefined;
}

/** @throws FarmError `invalid_argument` naming the file that is missing, broken or not understood. */
export async function readModelSpec(directory: string, wishes: ModelWishes = {}): Promise<ModelSpec> {
  const files = await findModelFiles(directory);
  const config = await readModelJson(directory, 'config.json', configSchema);
  if (!config) throw missingFile(directory, 'config.json');
  const packed = await readModelJson(directory, 'embedfarm.json', packedSchema);
  const tokenizer = (await readModelJson(directory, 'tokenizer_config.json', tokenizerSchema)) ?? {};
  const sentence = await readModelJson(directory, 'sentence_bert_config.json', sentenceSchema);
  const modules = await readSentenceModules(directory, wishes.pooling);
  const lowercase = tokenizer.do_lower_case ?? true;
  return {
    files,
    graph: packed ? 'packed' : 'padded',
    vocabularySize: config.vocab_size,
    dimensions: config.hidden_size,
    heads: config.num_attention_heads,
    layers: packed?.layers ?? config.num_hidden_layers,
    padId: config.pad_token_id ?? 0,
    maxSequenceLength: shortestLimit(directory, [
      positionsOf(config),
      tokenizer.model_max_length,
      sentence?.max_seq_length,
    ]),
    pooling: modules.pooling,
    normalize: wishes.normalize ?? modules.normalize,
    meaningful: packed?.meaningful ?? true,
    casing: {
      lowercase,
      stripAccents: tokenizer.strip_accents ?? lowercase,
      splitHan: tokenizer.tokenize_chinese_chars ?? true,
    },
  };
}

const configSchema = z.object({
  model_type: z.string().optional(),
  vocab_size: z.int().min(1),
  hidden_size: z.int().min(1),
  num_hidden_layers: z.int().min(1),
  num_attention_heads: z.int().min(1),
  max_position_embeddings: z.int().min(2),
  pad_token_id: z.int().min(0).nullish(),
});

const packedSchema = z.object({
  format: z.literal(1),
  graph: z.literal('packed'),
  layers: z.int().min(1),
  meaningful: z.boolean(),
});

// model_max_length is 1e30 where nobody set it.
const tokenizerSchema = z.object({
  do_lower_case: z.boolean().optional(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().optional(),
  model_max_length: z.number().optional(),
});

const sentenceSchema = z.object({ max_seq_length: z.int().min(1).nullish() });

// These count positions from pad_token_id + 1 on:
// https://github.com/huggingface/transformers/blob/main/src/transformers/models/roberta/modeling_roberta.py
const POSITIONS_AFTER_PAD: readonly string[] = ['roberta', 'xlm-roberta', 'camembert', 'mpnet'];

function positionsOf(config: z.output<typeof configSchema>): number {
  const isAfterPad = POSITIONS_AFTER_PAD.includes(config.model_type ?? 'bert');
  return config.max_position_embeddings - (isAfterPad ? (config.pad_token_id ?? 1) + 1 : 0);
}

function shortestLimit(directory: string, limits: readonly (number | null | undefined)[]): number {
  const limit = Math.min(...limits.filter((value) => value !== null && value !== undefined));
  if (limit >= 3) return Math.floor(limit);
  throw new FarmError(
    'invalid_argument',
    `model ${directory} takes ${limit} tokens by its configuration, at least 3 are needed`,
  );
}
