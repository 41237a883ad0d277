import { MAX_CHUNK_TEXTS, parseOptions, type RedisKeys } from '@embedfarm/contract';
import { z } from 'zod';
import type { FarmRedis } from './farm-redis.ts';

/** Texts that the farm may hold where nobody set another limit: of 80 characters each, 5 GB of jobs. */
export const DEFAULT_MAX_TEXTS = 50_000_000;
/** Share of Redis' memory at which producers are stopped; without memory BullMQ cannot even hand out jobs. */
export const DEFAULT_MEMORY_SHARE = 0.6;
/** The largest chunk, 1 MB of texts and 16 MB of vectors, fits every limit twice. */
const MIN_MAX_BYTES = 32 * 1024 * 1024;

/** One step with Redis, within its owner's deadline and life. */
type Ask = <Value>(step: () => Promise<Value>) => Promise<Value>;

export const farmLimitsSchema = z.strictObject({
  /** Most texts that wait or are being encoded. At least one chunk. */
  texts: z.int().min(MAX_CHUNK_TEXTS).optional(),

  /** Most bytes of texts and results; `null`: as far as memory goes. */
  bytes: z.int().min(MIN_MAX_BYTES).nullable().optional(),

  /** Nothing more is admitted above this share of `maxmemory`, or of the machine's memory where that is 0. */
  memoryShare: z.number().min(0.05).max(0.9).optional(),
});
/** Fields left out stay as they are. */
export type NewFarmLimits = z.input<typeof farmLimitsSchema>;

/** What the farm may hold. */
export interface FarmLimits {
  readonly texts: number;
  /** `null`: as far as memory goes. */
  readonly bytes: number | null;
  readonly memoryShare: number;
}

/** What was put there by hand and is no limit counts as not set. */
const storedLimitsSchema = z.object({
  maxTexts: z.coerce.number().min(1).catch(DEFAULT_MAX_TEXTS),
  maxBytes: z.coerce.number().min(1).nullable().catch(null),
  memoryShare: z.coerce.number().gt(0).max(1).catch(DEFAULT_MEMORY_SHARE),
});

/** The limits of a farm, as its producers ask for them. */
export class LimitStore {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #ask: Ask;

  constructor(redis: FarmRedis, keys: RedisKeys, ask: Ask) {
    this.#redis = redis;
    this.#keys = keys;
    this.#ask = ask;
  }

  async read(): Promise<FarmLimits> {
    return await this.#ask(() => readFarmLimits(this.#redis, this.#keys));
  }

  /** @throws FarmError `invalid_argument` naming a broken limit. */
  async set(limits: NewFarmLimits): Promise<void> {
    await this.#ask(() => setFarmLimits(this.#redis, this.#keys, limits));
  }
}

export async function readFarmLimits(redis: FarmRedis, keys: RedisKeys): Promise<FarmLimits> {
  const stored = storedLimitsSchema.parse(await redis.hgetall(keys.limits));
  return { texts: stored.maxTexts, bytes: stored.maxBytes, memoryShare: stored.memoryShare };
}

/**
 * For the whole farm, from the next question on. What is held already stays.
 *
 * @throws FarmError `invalid_argument` naming a broken limit.
 */
export async function setFarmLimits(redis: FarmRedis, keys: RedisKeys, limits: NewFarmLimits): Promise<void> {
  const { texts, bytes, memoryShare } = parseOptions('limits', farmLimitsSchema, limits);
  const change = redis.multi();
  if (texts !== undefined) change.hset(keys.limits, 'maxTexts', texts);
  if (bytes === null) change.hdel(keys.limits, 'maxBytes');
  else if (bytes !== undefined) change.hset(keys.limits, 'maxBytes', bytes);
  if (memoryShare !== undefined) change.hset(keys.limits, 'memoryShare', memoryShare);
  await change.exec();
}
