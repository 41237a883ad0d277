import { webhookHostsSchema, webhookSecretsSchema } from '@embedfarm/contract';
import { z } from 'zod';
import { RETRY_DELAYS_MS } from './retry-delay.ts';

/** Where a worker delivers webhooks, and how. Workers of one farm have the same. */
export const webhookOptionsSchema = z.strictObject({
  hosts: webhookHostsSchema,
  secrets: webhookSecretsSchema,

  /** Between one attempt and the next, in ms; given up when they are spent. */
  retryDelaysMs: z
    .array(z.int().min(0))
    .min(1)
    .max(100)
    .default([...RETRY_DELAYS_MS]),

  /** Ended requests are looked for this often, by every worker. */
  pollMs: z.int().min(10).max(60_000).default(1_000),

  /** Longest that one attempt may take, in ms. */
  timeoutMs: z.int().min(1).max(60_000).default(10_000),
});
export type WebhookOptions = z.output<typeof webhookOptionsSchema>;
