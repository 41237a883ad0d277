import { nameSchema, redisAddressSchema } from '@embedfarm/contract';
import type { Logger } from '@embedfarm/service/logger';
import { z } from 'zod';
import { bertDoorOptionsSchema } from './bert-client/bert-door-options.ts';
import { apiKeysSchema } from './keys/api-keys.ts';
import { corsOriginsSchema } from './http/cors.ts';

const MEBIBYTE = 1_048_576;

export const gatewayOptionsSchema = z.strictObject({
  /** Redis of the farm, as a URL. It may be down: doors say so, and go on when Redis does. */
  redis: redisAddressSchema,

  /** TCP port of the HTTP door; 0 takes a free one. */
  port: z.int().min(0).max(65_535).default(8_080),

  /** Address to listen on; this machine alone until told otherwise. */
  host: z.string().min(1).default('127.0.0.1'),

  /** Key prefix of the farm; the first shard where left out. */
  prefix: z.string().min(1).max(64).optional(),

  /** The model of calls that name none. May be left out where the farm serves one. */
  model: nameSchema.optional(),

  /** Who may call. Without keys anybody who reaches the port may. */
  keys: apiKeysSchema.optional(),

  /** Origins of pages that may call from a browser, as `https://app.example.com`, or `*`. Without them none may. */
  corsOrigins: corsOriginsSchema.optional(),

  /**
   * Serves clients of bert-as-service on two ports of ZeroMQ too: see docs/bert-client.md. They show no key, so that
   * `host` is this machine alone unless it is said here.
   */
  bertClient: bertDoorOptionsSchema
    .omit({ redis: true, prefix: true, farm: true, model: true, statistic: true, logger: true })
    .optional(),

  /** Most bytes of one body, after it is unpacked. */
  maxBodyBytes: z
    .int()
    .min(1_024)
    .max(1_024 * MEBIBYTE)
    .default(16 * MEBIBYTE),

  /** Most bytes of one file of `/v1/files`, and of all of them: they are kept in Redis. */
  maxFileBytes: z
    .int()
    .min(1_024)
    .max(512 * MEBIBYTE)
    .default(64 * MEBIBYTE),
  maxFilesBytes: z
    .int()
    .min(1_024)
    .default(512 * MEBIBYTE),

  /** Most bytes of bodies and vectors that are held at one time: those beyond are told to come back. */
  maxHeldBytes: z
    .int()
    .min(1_024)
    .default(512 * MEBIBYTE),

  /** Most requests that are open at one time: those beyond are told to come back. */
  maxOpenRequests: z.int().min(1).default(1_024),

  logger: z.custom<Logger>((value) => typeof value === 'object' && value !== null).optional(),
});

/** What a caller may write. */
export type GatewayOptions = z.input<typeof gatewayOptionsSchema>;
export type ResolvedGatewayOptions = z.output<typeof gatewayOptionsSchema>;
