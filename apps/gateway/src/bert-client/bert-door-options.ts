import { nameSchema, redisAddressSchema } from '@embedfarm/contract';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import type { Logger } from '@embedfarm/service/logger';
import { z } from 'zod';
import { RequestStatistic } from './request-statistic.ts';

/** What the door needs of a farm. */
export type FarmPort = Pick<EmbeddingFarm, 'encode' | 'status'>;

const MIB = 1_048_576;
const portSchema = z.int().min(0).max(65_535);

/** The door for clients of bert-as-service. Sizes are bounds of memory: see docs/bert-client.md. */
export const bertDoorOptionsSchema = z.strictObject({
  /** Redis of the farm. It may be down: requests wait for it to their deadline. Unused where `farm` is given. */
  redis: redisAddressSchema.default('redis://127.0.0.1:6379'),

  /** Key prefix of the farm; the first shard where left out. */
  prefix: z.string().min(1).max(64).optional(),

  /** A connection in place of one to `redis`, as soon as it is there. Whoever opened it closes it. */
  farm: z
    .custom<FarmPort | Promise<FarmPort>>(
      (value) => typeof value === 'object' && value !== null,
      'must be an EmbeddingFarm',
    )
    .optional(),

  /** Address to listen on. The protocol knows no password, so it is for this machine alone until told otherwise. */
  host: z.string().min(1).default('127.0.0.1'),

  /** Port that clients send to (`port` of BertClient); 0 takes a free one. */
  portIn: portSchema.default(5_555),

  /** Port that clients hear their results on (`port_out` of BertClient); 0 takes a free one. */
  portOut: portSchema.default(5_556),

  /** The model that encodes. May be left out where the farm serves one. */
  model: nameSchema.optional(),

  /** Who pays in the farm's bulk lane; default: the door is a client like any other. */
  tenant: nameSchema.optional(),

  /** Vectors of length 1; default: what the model says. */
  normalize: z.boolean().optional(),

  /** Results carry the tokens of their texts, as with `-show_tokens_to_client`: about as many bytes as short vectors. */
  showTokens: z.boolean().default(false),

  /** Whether the message TERMINATION closes the door. Whoever reaches the port can send it. */
  allowTermination: z.boolean().default(false),

  /**
   * What a request that failed is answered with, as the protocol has no word for it. `raise`: a result whose dtype is
   * the error's text, so that `encode` and `fetch` raise it. `nan`: rows of NaN in place of what failed.
   */
  failures: z.enum(['raise', 'nan']).default('raise'),

  /** How long a request may wait for the farm, in ms, from its turn on; of a large one each 4,096 texts. */
  timeoutMs: z.int().min(1).max(2_147_483_647).default(300_000),

  /** Longest JSON of a request; four times as much and the connection is cut. */
  maxRequestBytes: z
    .int()
    .min(1)
    .max(512 * MIB)
    .default(64 * MIB),

  /** Most texts of a request. */
  maxRequestTexts: z.int().min(1).max(4_194_304).default(262_144),

  /** Longest result of a request. */
  maxResultBytes: z
    .int()
    .min(1)
    .max(4_000 * MIB)
    .default(1_024 * MIB),

  /**
   * What one client may have here. More bytes or more requests are refused; with so many bytes of results that it has
   * not taken, its requests wait.
   */
  maxClientBytes: z
    .int()
    .min(1)
    .default(256 * MIB),
  maxClientRequests: z.int().min(1).default(50_000),

  /** What all clients may have here. Above it no request is read, and the longest of the stuck results are dropped. */
  maxHeldBytes: z
    .int()
    .min(1)
    .default(1_024 * MIB),

  /** Most connections to each of the two ports. */
  maxConnections: z.int().min(1).default(10_000),

  /** Where requests are counted for those who ask, if others count there too. */
  statistic: z.instanceof(RequestStatistic).optional(),

  /** How long a result waits for a client that has not subscribed, or lost its connection. */
  unclaimedMs: z.int().min(0).max(2_147_483_647).default(10_000),

  logger: z.custom<Logger>((value) => typeof value === 'object' && value !== null).optional(),
});

/** What a caller may write. */
export type BertDoorOptions = z.input<typeof bertDoorOptionsSchema>;
export type ResolvedBertDoorOptions = z.output<typeof bertDoorOptionsSchema>;
