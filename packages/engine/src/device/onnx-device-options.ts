import type { GraphOutput, Pooling } from '@embedfarm/checkpoint/pooling';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import type { MaskedEnds } from './masked-ends.ts';
import type { HiddenRows } from './pool-hidden.ts';

/** What a device's thread is told. The engine makes it of parsed options, so nothing is checked again there. */
export interface OnnxDeviceOptions {
  /** `cpu/0`, `cuda:1`, …: it says what runs the model, see providerOf. */
  readonly name: string;
  /** Threads of one run on the cpu; 1 by default. */
  readonly threads?: number;
  /** Path of the ONNX file; its external data is mapped, so devices share the weights. */
  readonly modelFile: string;
  readonly graph: 'packed' | 'padded';
  /** What a packed graph gives; `tokens` by default. */
  readonly output?: GraphOutput;
  readonly pooling: Pooling;
  /** Tokens at the ends of every row, and between segments, that are masked; none by default. */
  readonly masked?: MaskedEnds;
  /** Whether tokens of a second segment have type 1; all have 0 by default. */
  readonly typesSegments?: boolean;
  readonly vocabularySize: number;
  readonly maxSequenceLength: number;
  /** Size of a vector. */
  readonly dimensions: number;
  readonly heads: number;
  readonly padId: number;
}

/** Size of a token's state as the graph gives it. */
export function hiddenSizeOf({
  dimensions,
  pooling,
}: Pick<OnnxDeviceOptions, 'dimensions' | 'pooling'>): number {
  return pooling === 'mean_max' ? dimensions / 2 : dimensions;
}

/** Sequences → hidden states, in the form that the graph wants. */
export type OnnxEncoder = (batch: SequenceBatch) => Promise<HiddenRows>;
