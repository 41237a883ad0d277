import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';

/**
 * Refuses what the native library takes for granted: there it ends the process, and nothing can be caught. What else
 * is broken the library says itself.
 *
 * @param json the parsed content of a tokenizer.json.
 * @throws FarmError `invalid_argument` naming the file and the field.
 *
 * Source: https://github.com/huggingface/tokenizers, tokenizers/src/models/bpe/model.rs (`BpeBuilder::build`) and
 * tokenizers/src/processors/template.rs (`apply_template`).
 */
export function checkTokenizerJson(path: string, json: unknown): void {
  const { model, post_processor: processor } = fileSchema.safeParse(json).data ?? {};
  const merges = mergesSchema.safeParse(model).data;
  if (merges) checkMerges(path, merges);
  checkTemplates(path, processor);
}

const fileSchema = z.object({ model: z.unknown().optional(), post_processor: z.unknown().optional() });

const mergesSchema = z.object({
  continuing_subword_prefix: z.string().min(1),
  merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
});

/** The prefix is cut from the second part of every merge, without a look at it. */
function checkMerges(
  path: string,
  { continuing_subword_prefix: prefix, merges }: z.output<typeof mergesSchema>,
): void {
  for (const merge of merges) {
    const second = typeof merge === 'string' ? merge.split(' ')[1] : merge[1];
    if (second === undefined || second.startsWith(prefix)) continue;
    throw new FarmError(
      'invalid_argument',
      `${path}: model.continuing_subword_prefix is ${short(prefix)}, the merge with ${short(second)} does not have it`,
    );
  }
}

const processorSchema = z.object({
  processors: z.array(z.unknown()).optional(),
  single: z.array(z.unknown()).optional(),
  pair: z.array(z.unknown()).optional(),
  special_tokens: z.record(z.string(), z.unknown()).optional(),
});
const pieceSchema = z.object({ SpecialToken: z.object({ id: z.string() }) });

/** A template's special tokens are looked up by name, in a table of its own. */
function checkTemplates(path: string, processor: unknown): void {
  const { single = [], pair = [], ...others } = processorSchema.safeParse(processor).data ?? {};
  for (const part of others.processors ?? []) checkTemplates(path, part);
  for (const piece of [...single, ...pair]) {
    const id = pieceSchema.safeParse(piece).data?.SpecialToken.id;
    if (id === undefined || Object.hasOwn(others.special_tokens ?? {}, id)) continue;
    throw new FarmError(
      'invalid_argument',
      `${path}: the template of post_processor names ${short(id)}, which its special_tokens do not have`,
    );
  }
}

function short(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
