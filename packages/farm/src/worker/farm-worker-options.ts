import { redisAddressSchema } from '@embedfarm/contract';
import { z } from 'zod';
import { webhookOptionsSchema } from '../webhook/webhook-options.ts';

export const farmWorkerOptionsSchema = z.strictObject({
  /** Where Redis is: one server, sentinels or a Cluster. See parseRedisAddress. */
  redis: redisAddressSchema,

  prefix: z.string().optional(),

  /**
   * BullMQ workers that share the interactive lane. One fetches its first jobs one by one, so a
   * burst of n costs n round trips; k workers divide that by k.
   */
  interactiveWorkers: z.int().min(1).max(16).default(3),

  /** Chunk jobs each interactive worker may hold: one-text jobs, so it bounds the texts that can share a batch. */
  interactiveConcurrency: z.int().min(1).max(1_024).default(64),

  /** Bulk chunks held at once: one feeds the devices, one is ready. More only keeps them from other workers. */
  bulkConcurrency: z.int().min(1).max(64).default(2),

  /** Nothing is pulled while this much work waits, in ms. */
  maxBacklogMs: z.number().min(1).default(2_000),

  /** A job whose worker is silent for this long is given to another (plus up to two stalled checks). */
  lockDurationMs: z.int().min(500).default(5_000),
  stalledIntervalMs: z.int().min(100).default(1_000),

  /** Between two reports of this worker. */
  heartbeatMs: z.int().min(100).max(10_000).default(5_000),

  /** Posts the ends of requests that asked for it; without them this worker posts none. */
  webhooks: webhookOptionsSchema.optional(),
});

export type FarmWorkerOptions = z.input<typeof farmWorkerOptionsSchema>;
