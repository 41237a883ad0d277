import { nameSchema, type ModelRegistration } from '@embedfarm/contract';
import { z } from 'zod';
import { clientNameSchema } from '../stats/client-report.ts';

/** The model that a farm in memory stands for. */
export const memoryOptionsSchema = z.strictObject({
  /** Length of its vectors: that of the model which the program runs with. */
  dimensions: z.int().min(1).max(65_536),

  /** Its name; calls that name another get `model_not_found`. */
  model: nameSchema.default('memory'),

  /** What this client is called; a farm in memory has nobody to tell. */
  name: clientNameSchema.optional(),

  /** Whether its vectors are of length 1 where a call does not say. */
  normalize: z.boolean().default(true),

  /** The prompts that it has, by name. */
  promptNames: z.array(z.string().min(1).max(200)).optional(),

  /** The prompt of a call that asks for none. */
  defaultPromptName: z.string().min(1).max(200).optional(),
});
export type MemoryOptions = z.input<typeof memoryOptionsSchema>;

/** Longest sequence, as with BERT; a longer text is cut, or fails under `truncate: 'error'`. */
const MAX_SEQUENCE_LENGTH = 512;

export function memoryRegistration({
  dimensions,
  model,
  normalize,
  promptNames,
  defaultPromptName,
}: z.output<typeof memoryOptionsSchema>): ModelRegistration {
  return {
    model,
    fingerprint: `memory-${dimensions}`,
    dimensions,
    maxSequenceLength: MAX_SEQUENCE_LENGTH,
    pooling: 'mean',
    normalize,
    ...(promptNames === undefined ? {} : { promptNames }),
    ...(defaultPromptName === undefined ? {} : { defaultPromptName }),
    dtype: 'float32',
    meaningful: false,
  };
}
