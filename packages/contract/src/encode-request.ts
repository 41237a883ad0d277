import { z } from 'zod';
import { cacheOptionSchema } from './cache-option.ts';
import { FarmError } from './farm-error.ts';
import { laneSchema } from './lane.ts';
import { readGiven } from './read-given.ts';
import { VECTOR_DTYPES } from './vector-block.ts';

/** Names of models and tenants: they become parts of Redis keys and queue names, where `:` is taken. */
export const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/,
    'must be 1 to 128 of A-Z a-z 0-9 . _ / - and start with a letter or digit',
  );

/** Most characters that are told of what is wrong with options. */
const MAX_FAULTS_LENGTH = 4_000;

/** What decides the vector of a text, beside the model: two calls with equal ones may share a job. */
export const encodeOptionsSchema = z.strictObject({
  /** Scale every vector to length 1. Default: what the model says (its modules.json), else true. */
  normalize: z.boolean().optional(),

  /**
   * Keep the first so many numbers of every vector (Matryoshka), then scale again where `normalize` holds, then
   * round to the `dtype`.
   */
  dimensions: z.int().min(1).max(65_536).optional(),

  /**
   * What the numbers come as. None of them looks at other texts, so a text has the same bytes in every call.
   *
   * - `float16`: half the bytes; rounded to the nearest, ties to the even one. A text with a number beyond ±65,504
   *   fails. Of vectors of length 1, about 0.0002 of a cosine is lost at most.
   * - `int8`: `round(127 * x)` of vectors of length 1, so `x ≈ q / 127`, and a dot product of two is about 16,129
   *   times that of the vectors. Others are refused. Numbers of long vectors are small, so a row uses few of the
   *   255 steps: the cosine of a row to its vector is about 0.999 at 384 dimensions, 0.997 at 1,024.
   * - `binary`: a bit a dimension, 1 for `x > 0`, eight a byte, the first in the highest bit; the last byte is
   *   filled up with 0. Compare by Hamming distance; lengths are lost.
   *
   * Beside `quantize_embeddings` of sentence-transformers: `binary` is its `ubinary` (its own `binary` is that
   * minus 128 as int8); its `int8` is other numbers, as it spreads the range that each dimension has in a set of
   * vectors over 256 steps: make that of float32 vectors, where the set is at hand.
   */
  dtype: z.enum(VECTOR_DTYPES).default('float32'),

  /**
   * A text longer than the model takes loses its `end` or `start`, or is an `error` (`sequence_too_long`). Of a pair
   * the longer one loses first, until both are as long; the odd token that is left stays with the one that was longer,
   * with the second where none was, as in Hugging Face's `tokenizers`.
   */
  truncate: z.enum(['end', 'start', 'error']).default('end'),

  /**
   * Texts are lists of tokens, as with `is_tokenized` of bert-as-service: each token is looked up in the vocabulary
   * as it is, without lower case or pieces of words, and one that is not there is the unknown token. Numbers are ids
   * of the vocabulary; one that it does not have fails its text. The model's special tokens go around both.
   */
  tokens: z.boolean().optional(),

  /**
   * A text of the model's own that goes before every text, of a pair before the first part, by its name; see
   * `promptNames` of its registration. Default: the model's `defaultPromptName`, else none.
   */
  promptName: z.string().min(1).max(200).optional(),

  /** A text that goes before every text, in place of one of the model's. Empty for none, also not the default one. */
  prompt: z
    .string()
    .max(10_000)
    .refine((text) => text.isWellFormed(), 'holds a lone surrogate, which has no UTF-8 form')
    .optional(),

  /** The tokens of every text come back with its vector, as the device saw them: special ones too, and after a cut. */
  returnTokens: z.boolean().optional(),
});
export type EncodeOptions = z.output<typeof encodeOptionsSchema>;

/** One call as the producer sends it on. */
export const encodeRequestSchema = z.strictObject({
  /** The model's name in the farm. May be left out where the farm serves one. */
  model: nameSchema.optional(),
  ...encodeOptionsSchema.shape,

  /** `interactive` goes first; default: up to 256 texts interactive, more bulk. */
  lane: laneSchema.optional(),

  /** Who shares the bulk lane fairly. Default: the client. */
  tenant: nameSchema.optional(),

  /**
   * A text that was encoded before for the same model, weights and options is answered with the vector of then, the
   * same to the bit; others are kept for the next to ask, for 24 h or `ttlMs` (1 s to 30 days). Calls that ask for
   * one text at the same time have it encoded once. Default: off.
   */
  cache: cacheOptionSchema.optional(),
});
export type EncodeRequest = z.output<typeof encodeRequestSchema>;

/** @throws FarmError `invalid_argument` with every broken field named. */
export function parseEncodeRequest(options: unknown): EncodeRequest {
  return parseOptions('encode options', encodeRequestSchema, options);
}

/**
 * Loose options to complete ones, at the border.
 *
 * @throws FarmError `invalid_argument`: `<what>: <fault> → at <field>` for every fault.
 */
export function parseOptions<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  options: unknown,
): z.output<Schema> {
  // What is wrong is put into words by a second look at it.
  const parsed = readGiven(what, () => {
    const { error, data } = schema.safeParse(options);
    return error ? { faults: faultsOf(error), data: undefined } : { faults: undefined, data };
  });
  if (parsed.faults !== undefined) throw new FarmError('invalid_argument', `${what}: ${parsed.faults}`);
  return parsed.data as z.output<Schema>;
}

/** Faults name fields, which may be of any number and length. */
function faultsOf(error: z.ZodError): string {
  const faults = z.prettifyError(error);
  return faults.length > MAX_FAULTS_LENGTH ? `${faults.slice(0, MAX_FAULTS_LENGTH)}…` : faults;
}
