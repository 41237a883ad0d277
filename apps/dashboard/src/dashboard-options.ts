import type { Logger } from '@embedfarm/service/logger';
import { redisAddressSchema } from '@embedfarm/contract';
import { z } from 'zod';

export const dashboardOptionsSchema = z.strictObject({
  /** Redis of the farm, as a URL. It may be down: the page says so, and goes on when Redis does. */
  redis: redisAddressSchema,

  /** TCP port to listen on; 0 takes a free one. */
  port: z.int().min(0).max(65_535).default(3_000),

  /** Address to listen on. The page shows host names, so it is for this machine alone until told otherwise. */
  host: z.string().min(1).default('127.0.0.1'),

  /**
   * What one has to know to look and to act, at least 8 characters, without spaces. Without it whoever reaches the page may look,
   * and nobody may act.
   */
  key: z
    .string()
    .regex(/^[\x21-\x7e]{8,200}$/, 'must be 8 to 200 printable characters of ASCII, without spaces')
    .optional(),

  /** Key prefix of the shard to show; the first shard where left out. */
  prefix: z.string().min(1).optional(),

  /** Told when Redis goes and comes back, not each second of it. */
  logger: z.custom<Logger>((value) => typeof value === 'object' && value !== null).optional(),
});

/** What a caller may write. */
export type DashboardOptions = z.input<typeof dashboardOptionsSchema>;
