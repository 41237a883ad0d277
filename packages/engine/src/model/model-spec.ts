import { GRAPH_OUTPUTS, POOLINGS, type Pooling } from '@embedfarm/checkpoint/pooling';
import { readSentencePrompts, type SentencePrompts } from '@embedfarm/checkpoint/sentence-prompts';
import { FarmError, WEIGHT_DTYPES, type WeightDtype } from '@embedfarm/contract';
import { z } from 'zod';
import { withUsualFields } from './config-fields.ts';
import { findModelFiles, missingFile, readModelJson, type ModelFiles } from './model-files.ts';
import { poolOutput, type PooledOutput } from './pooled-output.ts';
import { readSentenceModules } from './sentence-modules.ts';

/** All that the engine has to know of a model beside its weights. */
export interface ModelSpec extends PooledOutput {
  readonly files: ModelFiles;
  /** `packed`: our own graph, without padding. `padded`: any other export. */
  readonly graph: 'packed' | 'padded';
  readonly vocabularySize: number;
  readonly heads: number;
  /** Encoder layers in the graph. */
  readonly layers: number;
  readonly padId: number;
  /** Token types that the model tells apart. */
  readonly tokenTypes: number;
  /** Most tokens of a sequence, special ones included. */
  readonly maxSequenceLength: number;
  /** Whether no token attends to the special ones, and they are not pooled. */
  readonly maskClsSep: boolean;
  readonly normalize: boolean;
  readonly prompts: SentencePrompts;
  /** Whether the tokens of a prompt are pooled. */
  readonly includePrompt: boolean;
  /** False for the embedded random model. */
  readonly meaningful: boolean;
  /** How the matrices of a packed graph are kept; what another export holds is its own affair. */
  readonly dtype: WeightDtype;
  /** Of an int8 graph: 8 bits need a processor that adds products of bytes in 32. */
  readonly weightBits: 7 | 8 | undefined;
  /** What the files were written with, by name: SHA-256 (hex). */
  readonly sha256: Readonly<Record<string, string>>;
  /** Of a vocab.txt; a tokenizer.json has its own. */
  readonly casing: Casing;
  /** The caller's wish, which a tokenizer.json must follow too. */
  readonly lowercaseWish: boolean | undefined;
  /** Whether texts are made lower case before a tokenizer that does not do so sees them; accents stay. */
  readonly lowercaseFirst: boolean;
}

export interface Casing {
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
  readonly splitHan: boolean;
}

/** What the caller of the engine wants otherwise than the model says. */
export interface ModelWishes {
  readonly pooling?: Pooling | undefined;
  /** Places in the list of the blocks' outputs, negative ones from its end. */
  readonly poolingLayers?: readonly number[] | undefined;
  readonly maskClsSep?: boolean | undefined;
  readonly normalize?: boolean | undefined;
  /** At most what the model takes. */
  readonly maxSequenceLength?: number | undefined;
  readonly lowercase?: boolean | undefined;
}

/**
 * @throws FarmError `invalid_argument` naming the file that is missing, broken or not understood, or the wish
 *   that the model cannot fulfil.
 */
export async function readModelSpec(directory: string, wishes: ModelWishes = {}): Promise<ModelSpec> {
  const files = await findModelFiles(directory);
  const config = await readModelJson(directory, 'config.json', configSchema);
  if (!config) throw missingFile(directory, 'config.json');
  const packed = await readModelJson(directory, 'embedfarm.json', packedSchema);
  const tokenizer = (await readModelJson(directory, 'tokenizer_config.json', tokenizerSchema)) ?? {};
  const sentence = await readModelJson(directory, 'sentence_bert_config.json', sentenceSchema);
  const modules = await readSentenceModules(directory, wishes.pooling ?? packed?.pooling);
  const lowercase = wishes.lowercase ?? tokenizer.do_lower_case ?? true;
  const lowercaseFirst = wishes.lowercase === undefined && sentence?.do_lower_case === true;
  const facts = { directory, layers: config.num_hidden_layers, hiddenSize: config.hidden_size, packed };
  return {
    ...poolOutput(facts, modules.pooling, wishes.poolingLayers),
    files,
    graph: packed ? 'packed' : 'padded',
    vocabularySize: config.vocab_size,
    heads: config.num_attention_heads,
    layers: packed?.layers ?? config.num_hidden_layers,
    padId: config.pad_token_id ?? 0,
    tokenTypes: config.type_vocab_size ?? 2,
    maxSequenceLength: checkLength(
      wishes.maxSequenceLength,
      shortestLimit(directory, [
        packed?.maxPositions ?? positionsOf(config),
        tokenizer.model_max_length,
        sentence?.max_seq_length,
      ]),
    ),
    maskClsSep: wishes.maskClsSep ?? false,
    normalize: wishes.normalize ?? modules.normalize,
    prompts: readSentencePrompts(directory),
    includePrompt: modules.includePrompt,
    meaningful: packed?.meaningful ?? true,
    dtype: packed?.dtype ?? 'float32',
    weightBits: packed?.weightBits,
    sha256: packed?.sha256 ?? {},
    casing: {
      lowercase: lowercase || lowercaseFirst,
      stripAccents: wishes.lowercase ?? tokenizer.strip_accents ?? lowercase,
      splitHan: tokenizer.tokenize_chinese_chars ?? true,
    },
    lowercaseWish: wishes.lowercase,
    lowercaseFirst,
  };
}

const configSchema = z.preprocess(
  withUsualFields,
  z.object({
    model_type: z.string().optional(),
    vocab_size: z.int().min(1),
    hidden_size: z.int().min(1),
    num_hidden_layers: z.int().min(1),
    num_attention_heads: z.int().min(1),
    max_position_embeddings: z.int().min(2),
    type_vocab_size: z.int().min(0).nullish(),
    pad_token_id: z.int().min(0).nullish(),
  }),
);

const packedSchema = z.object({
  format: z.literal(1),
  graph: z.literal('packed'),
  layers: z.int().min(1),
  output: z.enum(GRAPH_OUTPUTS).optional(),
  pooling: z.enum(POOLINGS).optional(),
  poolingLayers: z.array(z.int().min(0)).min(1).optional(),
  maxPositions: z.int().min(1).optional(),
  meaningful: z.boolean(),
  dtype: z.enum(WEIGHT_DTYPES).optional(),
  weightBits: z.union([z.literal(7), z.literal(8)]).optional(),
  sha256: z.record(z.string(), z.string()).optional(),
});

// model_max_length is 1e30 where nobody set it.
const tokenizerSchema = z.object({
  do_lower_case: z.boolean().optional(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().optional(),
  model_max_length: z.number().optional(),
});

const sentenceSchema = z.object({
  max_seq_length: z.int().min(1).nullish(),
  do_lower_case: z.boolean().nullish(),
});

// In exports these count positions from pad_token_id + 1 on:
// https://github.com/huggingface/transformers/blob/main/src/transformers/models/roberta/modeling_roberta.py
const POSITIONS_AFTER_PAD: readonly string[] = ['roberta', 'xlm-roberta', 'camembert', 'mpnet'];

function positionsOf(config: z.output<typeof configSchema>): number {
  const isAfterPad = POSITIONS_AFTER_PAD.includes(config.model_type ?? 'bert');
  return config.max_position_embeddings - (isAfterPad ? (config.pad_token_id ?? 1) + 1 : 0);
}

function checkLength(wished: number | undefined, limit: number): number {
  if (wished === undefined || wished <= limit) return wished ?? limit;
  throw new FarmError('invalid_argument', `maxSequenceLength is ${wished}, the model takes ${limit} tokens`);
}

function shortestLimit(directory: string, limits: readonly (number | null | undefined)[]): number {
  const limit = Math.min(...limits.filter((value) => value !== null && value !== undefined));
  if (limit >= 3) return Math.floor(limit);
  throw new FarmError(
    'invalid_argument',
    `model ${directory} takes ${limit} tokens by its configuration, at least 3 are needed`,
  );
}
