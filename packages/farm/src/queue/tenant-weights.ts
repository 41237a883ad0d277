import { FarmError, nameSchema, parseOptions, type RedisKeys } from '@embedfarm/contract';
import { z } from 'zod';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';

const MIN_WEIGHT = 0.01;
const MAX_WEIGHT = 100;
/** Tenants with a weight of their own: the hash has no time to live, and is read as a whole. */
const MAX_WEIGHTS = 10_000;

export const weightSchema = z.strictObject({
  tenant: nameSchema,
  /** A tenant of weight 2 gets twice what one of weight 1 gets while both wait. */
  weight: z.number().min(MIN_WEIGHT).max(MAX_WEIGHT),
});

/** One step with Redis, within its owner's deadline and life. */
type Ask = <Value>(step: () => Promise<Value>) => Promise<Value>;

/** A tenant's weight, 1 unless set. What was put there by hand and is no weight counts as 1, or as the nearest one. */
export const WEIGHT_LUA = `
local function weightOf(weights, tenant)
  local weight = tonumber(redis.call('HGET', weights, tenant) or 1)
  if not weight or weight ~= weight then return 1 end
  return math.min(${MAX_WEIGHT}, math.max(${MIN_WEIGHT}, weight))
end`;

/** KEYS weights; ARGV tenant, weight, most weights. Returns 1, or 0 when there are too many. */
const setScript = new RedisScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`);

/** How tenants share the bulk lanes of all models. A new weight counts for the chunks enqueued after it. */
export class TenantWeights {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #maxWeights: number;
  readonly #ask: Ask;

  constructor(
    redis: FarmRedis,
    keys: RedisKeys,
    { maxWeights = MAX_WEIGHTS, ask = (step) => step() }: { maxWeights?: number; ask?: Ask } = {},
  ) {
    this.#redis = redis;
    this.#keys = keys;
    this.#maxWeights = maxWeights;
    this.#ask = ask;
  }

  /**
   * Weight 1 is what a tenant has anyway, and is not kept.
   *
   * @throws FarmError `invalid_argument` for a weight outside 0.01 … 100, or beyond 10,000 tenants with one.
   */
  async set(tenant: string, weight: number): Promise<void> {
    const parsed = parseOptions('weight of a tenant', weightSchema, { tenant, weight });
    if (parsed.weight === 1) return await this.remove(parsed.tenant);
    const values = [parsed.tenant, parsed.weight, this.#maxWeights];
    const isSet = await this.#ask(() => setScript.run(this.#redis, [this.#keys.weights], values));
    if (isSet === 1) return;
    throw new FarmError(
      'invalid_argument',
      `tenant "${parsed.tenant}" would be one more with a weight of its own, limit is ${this.#maxWeights}`,
    );
  }

  /** The tenant has weight 1 again. */
  async remove(tenant: string): Promise<void> {
    const parsed = parseOptions('weight of a tenant', weightSchema.pick({ tenant: true }), { tenant });
    await this.#ask(() => this.#redis.hdel(this.#keys.weights, parsed.tenant));
  }

  /** Weights that are not 1, by tenant. */
  async list(): Promise<Record<string, number>> {
    const stored = await this.#ask(() => this.#redis.hgetall(this.#keys.weights));
    const weights = Object.entries(stored).map(([tenant, weight]): [string, number] => [
      tenant,
      Number(weight),
    ]);
    return Object.fromEntries(weights.filter(([, weight]) => Number.isFinite(weight)));
  }
}
