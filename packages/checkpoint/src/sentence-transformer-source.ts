import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { readJsonFile, readJsonFileIfAny } from './read-json-file.ts';
import type { Pooling } from './pooling.ts';
import { readSentencePrompts } from './sentence-prompts.ts';

/** What sentence-transformers does around the encoder. */
export interface SentenceTransformerSource {
  /** Where config, weights and tokenizer are: the directory itself, or one in it. */
  readonly encoderDirectory: string;
  readonly pooling: Pooling;
  readonly normalize: boolean;
  /** In tokens, special ones included. */
  readonly maxSequenceLength?: number;
  /** Whether texts are made lower case before the tokenizer sees them. */
  readonly lowercase: boolean;
  /** Whether the tokens of a prompt are pooled. */
  readonly includePrompt: boolean;
}

/**
 * The sentence-transformers files of a directory. Without a modules.json vectors are pooled by `mean` and
 * normalized, as the engine does it.
 *
 * @param wished is taken in place of the model's own pooling, which then may be one that is not known.
 * @throws FarmError `invalid_argument` naming what is not known: to leave it out would give other vectors.
 *
 * Source: https://sbert.net/docs/package_reference/sentence_transformer/models.html
 */
export function readSentenceTransformer(directory: string, wished?: Pooling): SentenceTransformerSource {
  const modulesFile = join(directory, 'modules.json');
  const modules = readJsonFileIfAny(modulesFile, modulesSchema);
  const pathOf = (kind: string): string | undefined => modules?.find((module) => module.kind === kind)?.path;
  const unknown = modules?.find(({ kind }) => !KINDS.includes(kind));
  if (unknown) {
    throw new FarmError(
      'invalid_argument',
      `${modulesFile}: module ${unknown.kind} is not known, only ${KINDS.join(', ')} are`,
    );
  }
  // What is broken shows here, and not when the first text comes.
  readSentencePrompts(directory);
  const encoderDirectory = join(directory, pathOf('Transformer') ?? '');
  const limits = readJsonFileIfAny(join(encoderDirectory, 'sentence_bert_config.json'), limitsSchema);
  const length = limits?.max_seq_length;
  const poolingPath = pathOf('Pooling');
  const poolingFile = poolingPath === undefined ? undefined : join(directory, poolingPath, 'config.json');
  return {
    encoderDirectory,
    pooling: wished ?? (poolingFile === undefined ? 'mean' : readPooling(poolingFile)),
    normalize: !modules || pathOf('Normalize') !== undefined,
    ...(typeof length === 'number' && { maxSequenceLength: length }),
    lowercase: limits?.do_lower_case ?? false,
    includePrompt:
      poolingFile === undefined || includesPrompt(readJsonFileIfAny(poolingFile, poolingSchema) ?? {}),
  };
}

function readPooling(file: string): Pooling {
  return poolingOfModes(file, readJsonFile(file, poolingSchema));
}

/**
 * What a `1_Pooling/config.json` asks for.
 *
 * @throws FarmError `invalid_argument` naming the file, where it is no mode of ours, or several.
 */
export function poolingOfModes(file: string, config: Readonly<Record<string, unknown>>): Pooling {
  const modes = Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key] === true);
  const [mode] = modes;
  const pooling = mode !== undefined && modes.length === 1 ? POOLING_BY_MODE[mode] : undefined;
  if (pooling) return pooling;
  throw new FarmError(
    'invalid_argument',
    `${file}: pooling ${modes.join(' with ') || 'of no mode'} is not known, only one of ${Object.keys(POOLING_BY_MODE).join(', ')} is`,
  );
}

/** Whether a `1_Pooling/config.json` has the tokens of a prompt pooled. */
export function includesPrompt(config: Readonly<Record<string, unknown>>): boolean {
  return config['include_prompt'] !== false;
}

const KINDS = ['Transformer', 'Pooling', 'Normalize'];

const POOLING_BY_MODE: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_lasttoken: 'last_token',
};

// A name alone: nothing outside of the directory is read.
const pathSchema = z.string().regex(/^(?!\.\.?$)[\w.-]*$/, 'must be the name of a directory in it');
const modulesSchema = z.array(
  z
    .object({ type: z.string(), path: pathSchema })
    .transform(({ type, path }) => ({ kind: type.slice(type.lastIndexOf('.') + 1), path })),
);
const limitsSchema = z.object({
  max_seq_length: z.int().min(1).nullish(),
  do_lower_case: z.boolean().nullish(),
});
const poolingSchema = z.record(z.string(), z.unknown());
