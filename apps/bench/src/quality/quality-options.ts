import { POOLINGS } from '@embedfarm/checkpoint/pooling';
import { z } from 'zod';
import { parseFlags } from '../flags.ts';

export const qualityOptionsSchema = z.strictObject({
  /** A model directory, in any form that a worker takes. */
  model: z.string().min(1),

  /** What it runs in. */
  dtype: z.enum(['float32', 'int8']).default('float32'),

  /** Vectors to stand beside: lines of `{"text": …, "embedding": […]}`. One may end early: its first numbers count. */
  reference: z.string().min(1).optional(),

  /** Texts, one a line, whose vectors are set beside those of the same model in float32. For int8. */
  texts: z.string().min(1).optional(),

  /** Pairs of texts with a score, as CSV without a header: text, text, score. */
  sts: z.string().min(1).optional(),

  /** As in `embedfarm worker`; by default what the model says. */
  pooling: z.enum(POOLINGS).optional(),

  /** Vectors as they come from the pooling, for a reference of such. */
  'no-normalize': z.boolean().default(false),

  devices: z.string().min(1).default('cpu'),

  /** Where converted weights are kept. */
  'cache-dir': z.string().min(1).default('.embedfarm/bench/engine'),
});
export type QualityOptions = z.output<typeof qualityOptionsSchema>;

export const QUALITY_USAGE = `npm run bench -- quality --model DIR [options]      a model's vectors beside others

  --model DIR                Google's checkpoint, safetensors, or an ONNX export
  --dtype float32            or int8
  --reference FILE.jsonl     vectors to stand beside: lines of {"text": …, "embedding": […]}
  --texts FILE               texts, one a line: their vectors beside those in float32
  --sts FILE.csv             text, text, score: Spearman's correlation of cosines and scores
  --pooling NAME             what the model says
  --no-normalize             vectors as the pooling gives them
  --devices cpu:N            threads (all cores)
  --cache-dir .embedfarm/bench/engine
`;

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseQualityArgs(args: readonly string[]): QualityOptions | undefined {
  return parseFlags(qualityOptionsSchema, args);
}
