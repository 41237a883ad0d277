import { GRAPH_OUTPUTS, POOLINGS } from '@embedfarm/checkpoint/pooling';
import { z } from 'zod';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import type { HiddenRows } from './pool-hidden.ts';

export const onnxDeviceOptionsSchema = z.strictObject({
  /** `cpu/0`, `cuda:1`, …: it says what runs the model, see providerOf. */
  name: z.string().min(1),
  /** Threads of one run on the cpu; 1 by default. */
  threads: z.int().min(1).max(256).optional(),
  /** Path of the ONNX file; its external data is mapped, so devices share the weights. */
  modelFile: z.string().min(1),
  graph: z.enum(['packed', 'padded']),
  /** What a packed graph gives; `tokens` by default. */
  output: z.enum(GRAPH_OUTPUTS).optional(),
  pooling: z.enum(POOLINGS),
  /** Tokens at the ends of every row, and between segments, that are masked; none by default. */
  masked: z
    .strictObject({ first: z.int().min(0), between: z.int().min(0).optional(), last: z.int().min(0) })
    .optional(),
  /** Whether tokens of a second segment have type 1; all have 0 by default. */
  typesSegments: z.boolean().optional(),
  vocabularySize: z.int().min(1),
  maxSequenceLength: z.int().min(1),
  /** Size of a vector. */
  dimensions: z.int().min(1),
  heads: z.int().min(1),
  padId: z.int().min(0),
});
export type OnnxDeviceOptions = z.output<typeof onnxDeviceOptionsSchema>;

/** Size of a token's state as the graph gives it. */
export function hiddenSizeOf({
  dimensions,
  pooling,
}: Pick<OnnxDeviceOptions, 'dimensions' | 'pooling'>): number {
  return pooling === 'mean_max' ? dimensions / 2 : dimensions;
}

/** Sequences → hidden states, in the form that the graph wants. */
export type OnnxEncoder = (batch: SequenceBatch) => Promise<HiddenRows>;
