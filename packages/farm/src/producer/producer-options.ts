import { redisAddressSchema } from '@embedfarm/contract';
import { z } from 'zod';

export const producerOptionsSchema = z.strictObject({
  /** Where Redis is: one server, sentinels or a Cluster. See parseRedisAddress. */
  redis: redisAddressSchema.default('redis://127.0.0.1:6379'),

  /** Hash-tagged prefix of the farm's keys; one Redis can hold several farms. */
  prefix: z.string().min(1).max(64).optional(),

  /** How long `connect` waits for Redis, in ms. */
  timeoutMs: z.int().min(1).max(2_147_483_647).default(10_000),
});
export type ProducerOptions = z.input<typeof producerOptionsSchema>;
