import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { DEFAULT_FILE_TTL_MS } from './batch-limits.ts';
import type { NewBatchRecord } from './batch-record.ts';
import { expiresAfterSchema } from './file-terms.ts';
import { BATCH_ENDPOINT } from './read-line.ts';

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
const MAX_WINDOW_MS = 168 * 3_600_000;

/** What `POST /v1/batches` takes. */
export const batchRequestSchema = z
  .strictObject({
    input_file_id: z.string().min(1).max(100),
    endpoint: z.literal(BATCH_ENDPOINT),
    completion_window: z
      .string()
      .regex(/^[1-9]\d{0,5}[smh]$/, 'must be a time, as 24h, 90m or 30s')
      .refine((window) => windowMs(window) <= MAX_WINDOW_MS, 'must be 168h at most')
      .meta({ description: 'How long it may take: 24h as at OpenAI, or any of 1s to 168h.' }),
    metadata: z
      .record(z.string().min(1).max(64), z.string().max(512))
      .refine((pairs) => Object.keys(pairs).length <= 16, 'must have 16 pairs at most')
      .nullish(),
    /** How long output and errors are kept after the end; 24 hours where nothing is said. */
    output_expires_after: expiresAfterSchema.optional(),
  })
  .meta({ title: 'BatchRequest' });

/** @throws FarmError `invalid_argument` naming the field. */
export function readBatchRequest(body: unknown): NewBatchRecord {
  const asked = parseOptions('batch request', batchRequestSchema, body);
  return {
    inputFileId: asked.input_file_id,
    completionWindow: asked.completion_window,
    windowMs: windowMs(asked.completion_window),
    outputTtlMs: asked.output_expires_after
      ? asked.output_expires_after.seconds * 1_000
      : DEFAULT_FILE_TTL_MS,
    metadata: asked.metadata ?? null,
  };
}

function windowMs(window: string): number {
  return Number(window.slice(0, -1)) * UNITS_MS[window.at(-1) as keyof typeof UNITS_MS];
}
