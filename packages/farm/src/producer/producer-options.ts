import { redisAddressSchema } from '@embedfarm/contract';
import type { Telemetry } from 'bullmq';
import { z } from 'zod';
import { clientNameSchema } from '../stats/client-report.ts';
import { isTelemetry } from './trace-encode.ts';

export const producerOptionsSchema = z.strictObject({
  /** Where Redis is: one server, sentinels or a Cluster. See parseRedisAddress. */
  redis: redisAddressSchema.default('redis://127.0.0.1:6379'),

  /** Hash-tagged prefix of the farm's keys; one Redis can hold several farms. */
  prefix: z.string().min(1).max(64).optional(),

  /** What this client is called where people look at the farm: 1 to 64 characters, any text. */
  name: clientNameSchema.optional(),

  /** How long `connect` waits for Redis, in ms. */
  timeoutMs: z.int().min(1).max(2_147_483_647).default(10_000),

  /** Traces calls of `encode`: `new BullMQOtel()` of bullmq-otel, see docs/metrics.md. Nothing is traced without it. */
  telemetry: z
    .custom<Telemetry>(isTelemetry, 'must be a telemetry of BullMQ, as new BullMQOtel()')
    .optional(),
});
export type ProducerOptions = z.input<typeof producerOptionsSchema>;
