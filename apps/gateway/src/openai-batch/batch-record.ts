import { FARM_ERROR_CODES, type FarmErrorCode } from '@embedfarm/contract';
import type { KeptBatch } from '@embedfarm/farm/batches';
import { z } from 'zod';
import { RECORD_TTL_MS } from './batch-limits.ts';

const codes = [...(Object.keys(FARM_ERROR_CODES) as FarmErrorCode[]), 'not_found'] as const;
const faultSchema = z.object({ code: z.enum(codes), message: z.string() });

/** Lines whose texts travel as one submitted request. */
const groupSchema = z.object({
  model: z.string(),
  dimensions: z.int().optional(),
  /** Whether its texts are ids of tokens. */
  tokens: z.boolean(),
  lines: z.int(),
  texts: z.int(),
  /** Parts of its index. */
  parts: z.int(),
  requestId: z.string().optional(),
  /** Whether all its texts are in the farm. */
  isFilled: z.boolean().default(false),
  /** Why it never will be. */
  fault: faultSchema.optional(),
  /** When its request has ended: texts with a vector, and all. */
  hasEnded: z.boolean().default(false),
  textsDone: z.int().default(0),
  textsFailed: z.int().default(0),
});
export type BatchGroup = z.output<typeof groupSchema>;

const countsSchema = z.object({ total: z.int(), completed: z.int(), failed: z.int() });
const batchFaultSchema = z.object({
  code: z.string(),
  message: z.string(),
  line: z.int().nullable(),
  param: z.string().nullable(),
});
export type BatchFault = z.output<typeof batchFaultSchema>;

export const END_STATES = ['completed', 'failed', 'expired', 'cancelled'] as const;
export type EndState = (typeof END_STATES)[number];

/** What a batch has come to; times are Redis time in ms since 1970. */
const recordSchema = z.object({
  inputFileId: z.string(),
  completionWindow: z.string(),
  windowMs: z.int(),
  outputTtlMs: z.int(),
  metadata: z.record(z.string(), z.string()).nullable(),
  state: z.enum(['validating', 'in_progress', 'finalizing', ...END_STATES]),
  /** Name under which the index of its lines is kept. */
  index: z.string().optional(),
  groups: z.array(groupSchema).default([]),
  /** Lines that are refused, and parts of their index. */
  refused: z.object({ lines: z.int(), parts: z.int() }).default({ lines: 0, parts: 0 }),
  counts: countsSchema.default({ total: 0, completed: 0, failed: 0 }),
  tokens: z.int().default(0),
  faults: z.array(batchFaultSchema).default([]),
  /** What it ends as, once its output is measured. */
  end: z.enum(END_STATES).default('completed'),
  /** Whether a gateway is filling a request, or died while it did. */
  isSubmitting: z.boolean().default(false),
  /** Attempts that failed in a row, for a reason that may pass. */
  attempts: z.int().default(0),
  outputFileId: z.string().optional(),
  errorFileId: z.string().optional(),
  inProgressAtMs: z.number().optional(),
  finalizingAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
});
export type BatchRecord = z.output<typeof recordSchema>;
export type NewBatchRecord = Pick<
  BatchRecord,
  'inputFileId' | 'completionWindow' | 'windowMs' | 'outputTtlMs' | 'metadata'
>;

export function newBatchRecord(given: NewBatchRecord): BatchRecord {
  return recordSchema.parse({ ...given, state: 'validating' });
}

export function readBatchRecord({ record }: KeptBatch): BatchRecord {
  return recordSchema.parse(JSON.parse(record));
}

export function hasEnded({ state }: BatchRecord): boolean {
  return (END_STATES as readonly string[]).includes(state);
}

/** From now on. */
export function recordTtlMs({ windowMs, outputTtlMs }: BatchRecord): number {
  return windowMs + outputTtlMs + RECORD_TTL_MS;
}
