import { redisAddressSchema } from '@embedfarm/contract';
import type { Logger } from '@embedfarm/service/logger';
import { z } from 'zod';

export const gatewayOptionsSchema = z.strictObject({
  /** Redis of the farm, as a URL. It may be down: doors say so, and go on when Redis does. */
  redis: redisAddressSchema,

  /** TCP port of the HTTP door; 0 takes a free one. */
  port: z.int().min(0).max(65_535).default(8_080),

  /** Address to listen on; this machine alone until told otherwise. */
  host: z.string().min(1).default('127.0.0.1'),

  /** Key prefix of the farm; the first shard where left out. */
  prefix: z.string().min(1).max(64).optional(),

  logger: z.custom<Logger>((value) => typeof value === 'object' && value !== null).optional(),
});

/** What a caller may write. */
export type GatewayOptions = z.input<typeof gatewayOptionsSchema>;
