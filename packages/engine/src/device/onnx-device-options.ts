import { z } from 'zod';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import { POOLINGS, type HiddenRows } from './pool-hidden.ts';

export const onnxDeviceOptionsSchema = z.strictObject({
  /** `cpu/0`, … */
  name: z.string().min(1),
  /** Path of the ONNX file; its external data is mapped, so devices share the weights. */
  modelFile: z.string().min(1),
  graph: z.enum(['packed', 'padded']),
  pooling: z.enum(POOLINGS),
  vocabularySize: z.int().min(1),
  maxSequenceLength: z.int().min(1),
  dimensions: z.int().min(1),
  heads: z.int().min(1),
  padId: z.int().min(0),
});
export type OnnxDeviceOptions = z.output<typeof onnxDeviceOptionsSchema>;

/** Sequences → hidden states, in the form that the graph wants. */
export type OnnxEncoder = (batch: SequenceBatch) => Promise<HiddenRows>;
