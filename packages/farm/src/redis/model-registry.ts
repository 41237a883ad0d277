import {
  FarmError,
  modelRegistrationSchema,
  nameSchema,
  type ModelRegistration,
  type RedisKeys,
} from '@embedfarm/contract';
import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';
import { readRedisTimeMs } from './redis-time.ts';

/** A worker that has not been heard of for this long counts as gone. */
export const WORKER_TTL_MS = 15_000;
/** More models than a farm has; each costs six looks a second. */
const MAX_NAMES = 1_000;
/** A model is remembered this long after its last worker: requests for it wait instead of failing. */
const MODEL_TTL_MS = 7 * 24 * 3_600_000;

/**
 * Compare and set: the name is free, or has the same fingerprint, or all its workers are gone.
 * KEYS model, model-workers, models, workers, worker; ARGV model, fingerprint, registration JSON,
 * worker id, worker report JSON, worker TTL, model TTL. Returns 1, or 0 for another fingerprint.
 */
const heartbeatScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gone = now - tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', gone)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', gone)
local known = redis.call('HGET', KEYS[1], 'fingerprint')
if known and known ~= ARGV[2] and redis.call('ZCARD', KEYS[2]) > 0 then return 0 end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2], 'registration', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('ZADD', KEYS[2], now, ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[7]))
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('ZADD', KEYS[4], now, ARGV[4])
redis.call('SET', KEYS[5], ARGV[5], 'PX', ARGV[6])
return 1`);

/** KEYS model-workers, workers, worker; ARGV worker id. */
const leaveScript = new RedisScript(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('UNLINK', KEYS[3])
return 1`);

/** Who serves which model, pinned by fingerprint. */
export class ModelRegistry {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;

  constructor(redis: FarmRedis, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Registers a worker's model, or renews it.
   *
   * @throws FarmError `model_changed` when live workers serve other weights or settings under the name.
   */
  async heartbeat(registration: ModelRegistration, workerId: string, report: string): Promise<void> {
    const { model, fingerprint } = registration;
    const keys = this.#keys;
    const accepted = await heartbeatScript.run(
      this.#redis,
      [keys.model(model), keys.modelWorkers(model), keys.models, keys.workers, keys.worker(workerId)],
      [model, fingerprint, JSON.stringify(registration), workerId, report, WORKER_TTL_MS, MODEL_TTL_MS],
    );
    if (accepted === 1) return;
    throw new FarmError(
      'model_changed',
      `model "${model}" is served by live workers with another fingerprint than ${fingerprint}; ` +
        'give this one another name, or stop those first',
    );
  }

  async leave(model: string, workerId: string): Promise<void> {
    const keys = this.#keys;
    await leaveScript.run(
      this.#redis,
      [keys.modelWorkers(model), keys.workers, keys.worker(workerId)],
      [workerId],
    );
  }

  /** Registered models, the last heard first, at most 1,000. What is no name was put there by hand. */
  async names(): Promise<string[]> {
    const names = await this.#redis.zrevrange(this.#keys.models, 0, MAX_NAMES - 1);
    return names.filter((name) => nameSchema.safeParse(name).success);
  }

  /** @returns undefined when no worker ever registered it, or its time is over. */
  async find(model: string): Promise<ModelRegistration | undefined> {
    const stored = await this.#redis.hget(this.#keys.model(model), 'registration');
    if (stored === null) return undefined;
    return modelRegistrationSchema.parse(JSON.parse(stored));
  }

  /**
   * The registration under a name, or of the one model there is.
   *
   * @throws FarmError `model_not_found`; `invalid_argument` when no name is given and several models are served.
   */
  async resolve(model: string | undefined): Promise<ModelRegistration> {
    const name = model ?? (await this.#onlyName());
    const registration = await this.find(name);
    if (registration) return registration;
    const names = await this.names();
    const known = names.length === 0 ? 'no model is registered' : `registered are: ${names.join(', ')}`;
    throw new FarmError('model_not_found', `no worker ever registered the model "${name}"; ${known}`);
  }

  /** Live workers of a model. */
  async countWorkers(model: string, nowMs: number): Promise<number> {
    return await this.#redis.zcount(this.#keys.modelWorkers(model), nowMs - WORKER_TTL_MS, '+inf');
  }

  /** The one model with live workers; where none has any, the one that is registered. */
  async #onlyName(): Promise<string> {
    const [timeMs, heard] = await Promise.all([
      readRedisTimeMs(this.#redis, this.#keys),
      this.#redis.zrevrange(this.#keys.models, 0, -1, 'WITHSCORES'),
    ]);
    const aliveSince = timeMs - WORKER_TTL_MS;
    const models = heard.flatMap((name, at) =>
      at % 2 === 0 ? [{ name, heardAt: Number(heard[at + 1]) }] : [],
    );
    const alive = models.filter(({ heardAt }) => heardAt >= aliveSince);
    const [only, second] = alive.length > 0 ? alive : models;
    if (only === undefined) {
      throw new FarmError('model_not_found', 'no model is registered: start a worker (embedfarm worker)');
    }
    if (second !== undefined) {
      const names = (alive.length > 0 ? alive : models).map(({ name }) => name).join(', ');
      throw new FarmError('invalid_argument', `model must be named, the farm serves: ${names}`);
    }
    return only.name;
  }
}
