import { z } from 'zod';
import { FarmError } from './farm-error.ts';
import { laneSchema } from './lane.ts';

/** Most bytes (UTF-8) of one text: a job stays near 1 MB, and one text is never cut into two jobs. */
export const MAX_TEXT_BYTES = 1_000_000;

/** Names of models and tenants: they become parts of Redis keys and queue names, where `:` is taken. */
export const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/,
    'must be 1 to 128 of A-Z a-z 0-9 . _ / - and start with a letter or digit',
  );

/** What decides the vector of a text, beside the model: two calls with equal ones may share a job. */
export const encodeOptionsSchema = z.strictObject({
  /** Scale every vector to length 1. Default: what the model says (its modules.json), else true. */
  normalize: z.boolean().optional(),

  /** Keep the first so many numbers of every vector (Matryoshka), then scale again where `normalize` holds. */
  dimensions: z.int().min(1).max(65_536).optional(),

  /** A text longer than the model takes loses its `end` or `start`, or is an `error` (`sequence_too_long`). */
  truncate: z.enum(['end', 'start', 'error']).default('end'),
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
});
export type EncodeRequest = z.output<typeof encodeRequestSchema>;

/**
 * The texts of a call, checked one by one.
 *
 * @throws FarmError `invalid_argument` naming the index, the fault and the limit: an empty list, a
 * value that is no string, a lone surrogate (it has no UTF-8 form), a text over MAX_TEXT_BYTES.
 */
export function parseTexts(texts: unknown): string[] {
  if (!Array.isArray(texts)) {
    throw new FarmError('invalid_argument', `texts must be a list of strings, got ${nameKind(texts)}`);
  }
  if (texts.length === 0) {
    throw new FarmError('invalid_argument', 'texts is empty, at least 1 text is needed');
  }
  // A hole in a sparse list reads as undefined, which the check names.
  for (let index = 0; index < texts.length; index += 1) checkText(texts[index], index);
  return texts as string[];
}

function checkText(text: unknown, index: number): void {
  if (typeof text !== 'string') {
    throw new FarmError('invalid_argument', `texts[${index}] must be a string, got ${nameKind(text)}`);
  }
  // A UTF-16 unit takes at most 3 bytes, so short texts are not measured.
  if (text.length * 3 > MAX_TEXT_BYTES) {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_TEXT_BYTES) {
      throw new FarmError(
        'invalid_argument',
        `texts[${index}] has ${bytes} bytes, limit is ${MAX_TEXT_BYTES}`,
      );
    }
  }
  if (!text.isWellFormed()) {
    throw new FarmError(
      'invalid_argument',
      `texts[${index}] holds a lone surrogate, which has no UTF-8 form`,
    );
  }
}

function nameKind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

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
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new FarmError('invalid_argument', `${what}: ${z.prettifyError(parsed.error)}`);
}
