import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { DEFAULT_FILE_TTL_MS, MAX_TTL_SECONDS, MIN_TTL_SECONDS } from './batch-limits.ts';

/** How long something is kept, in OpenAI's words. */
export const expiresAfterSchema = z.strictObject({
  anchor: z.literal('created_at'),
  seconds: z.coerce.number().int().min(MIN_TTL_SECONDS).max(MAX_TTL_SECONDS),
});

const fieldsSchema = z.strictObject({
  /** Files are here for batches alone. */
  purpose: z.literal('batch'),
  expires_after: expiresAfterSchema.optional(),
});

/** The fields of an upload. @throws FarmError `invalid_argument` naming the field. */
export function fileTerms(fields: Readonly<Record<string, string>>): { ttlMs: number } {
  const { 'expires_after[anchor]': anchor, 'expires_after[seconds]': seconds, ...others } = fields;
  const isSaid = anchor !== undefined || seconds !== undefined;
  const given = { ...others, ...(isSaid ? { expires_after: { anchor, seconds } } : {}) };
  const { expires_after } = parseOptions('upload', fieldsSchema, given);
  return { ttlMs: expires_after ? expires_after.seconds * 1_000 : DEFAULT_FILE_TTL_MS };
}
