import { FarmError } from '@embedfarm/contract';
import { withDeadline } from '@embedfarm/farm/producer';
import { EmbeddingFarm, type ModelStatus } from '@embedfarm/sdk';
import type { Logger } from '@embedfarm/service/logger';
import { setTimeout as delay } from 'node:timers/promises';
import type { FarmPort } from './bert-door-options.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;
/** A model stays what it is; what changes is whether there is one. */
const MODEL_TTL_MS = 10_000;
const MODEL_POLL_MS = 500;

export interface FarmLinkOptions {
  readonly redis: string;
  readonly prefix: string | undefined;
  readonly farm: FarmPort | Promise<FarmPort> | undefined;
  readonly model: string | undefined;
  readonly timeoutMs: number;
  readonly logger: Logger | undefined;
}

/** The way to the farm. It opens at once, and connects as soon as there is a Redis. */
export class FarmLink {
  readonly #options: FarmLinkOptions;
  readonly #closed = new AbortController();
  readonly #connected: Promise<FarmPort>;
  #own: EmbeddingFarm | undefined;
  #model: { readonly status: ModelStatus; readonly readAtMs: number } | undefined;
  #asking: Promise<ModelStatus> | undefined;

  constructor(options: FarmLinkOptions) {
    this.#options = options;
    this.#connected = options.farm ? Promise.resolve(options.farm) : this.#connect();
    // Who waits for it hears of the end.
    this.#connected.catch(() => undefined);
  }

  /** @throws FarmError `redis_unavailable` after `timeoutMs`, `cancelled` on abort. */
  async farm(signal: AbortSignal): Promise<FarmPort> {
    const { timeoutMs } = this.#options;
    return await withDeadline(
      this.#connected,
      { signal, timeoutMs },
      () => new FarmError('redis_unavailable', 'Redis does not answer'),
    );
  }

  /**
   * The model that encodes, as it was some seconds ago at most. Waits until there is one.
   *
   * @throws FarmError `model_not_found` after `timeoutMs`, `invalid_argument` where several are served and none is named,
   * `redis_unavailable`, `cancelled`.
   */
  async model(signal: AbortSignal): Promise<ModelStatus> {
    const known = this.#model;
    if (known && performance.now() - known.readAtMs < MODEL_TTL_MS) return known.status;
    this.#asking ??= this.#askModel().finally(() => (this.#asking = undefined));
    const asking = this.#asking;
    asking.catch(() => undefined);
    // What it was will do, until something else is known.
    return known ? known.status : await withDeadline(asking, { signal }, neverLate);
  }

  /** The whole farm, for SHOW_STATUS. @throws FarmError as `status` of the SDK. */
  async status(signal: AbortSignal): ReturnType<FarmPort['status']> {
    return await (await this.farm(signal)).status();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    // Somebody else's connection may be waited for longer than this one lives.
    await Promise.allSettled([this.#options.farm ? undefined : this.#connected, this.#asking]);
    await this.#own?.close();
  }

  async #connect(): Promise<FarmPort> {
    const { redis, prefix, logger } = this.#options;
    const { signal } = this.#closed;
    for (let isFirst = true; ; isFirst = false) {
      try {
        this.#own = await EmbeddingFarm.connect(
          { redis, ...(prefix === undefined ? {} : { prefix }), timeoutMs: CONNECT_TIMEOUT_MS },
          { signal },
        );
        return this.#own;
      } catch (thrown) {
        const fault = FarmError.from(thrown);
        if (signal.aborted || fault.code !== 'redis_unavailable') throw fault;
        if (isFirst) logger?.warn(`bert client: ${fault.message}; trying on`);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #askModel(): Promise<ModelStatus> {
    const { signal } = this.#closed;
    const untilMs = performance.now() + this.#options.timeoutMs;
    for (;;) {
      try {
        const { models } = await this.status(signal);
        const status = pickModel(models, this.#options.model);
        this.#model = { status, readAtMs: performance.now() };
        return status;
      } catch (thrown) {
        const fault = FarmError.from(thrown);
        const mayPass = fault.code === 'model_not_found' || fault.code === 'redis_unavailable';
        if (signal.aborted || !mayPass || performance.now() >= untilMs) throw fault;
      }
      await delay(MODEL_POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The one of that name; without a name the only one with workers, else the only one. */
function pickModel(models: readonly ModelStatus[], name: string | undefined): ModelStatus {
  const named = name === undefined ? models : models.filter(({ model }) => model === name);
  const alive = named.filter(({ workers }) => workers > 0);
  const [only, second] = alive.length > 0 ? alive : named;
  if (!only) throw new FarmError('model_not_found', `no worker ever registered ${name ?? 'a model'}`);
  if (second)
    throw new FarmError('invalid_argument', 'the farm serves several models, name one with --model');
  return only;
}

function neverLate(): FarmError {
  return new FarmError('internal', 'no deadline was set');
}
