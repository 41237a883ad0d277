import { setTimeout as rest } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import { Inspector, type FarmStatus } from '@embedfarm/farm/inspect';
import { hidePassword, withDeadline } from '@embedfarm/farm/producer';
import { EmbeddingFarm } from '@embedfarm/sdk';
import type { Logger } from '@embedfarm/service/logger';

/** How long a call waits for a farm that was not there yet. */
const WAIT_FOR_FARM_MS = 2_000;
/** Between two attempts that fail at once. */
const RETRY_MS = 500;
/** What is told of the farm may be so old: those who ask often cost one look. */
const STATUS_AGE_MS = 500;
const STATUS_TIMEOUT_MS = 2_000;

export interface FarmLinkOptions {
  readonly redis: string;
  readonly prefix?: string | undefined;
  readonly logger?: Logger | undefined;
  /** Done on the farm once it is there, before anybody calls it. */
  readonly prepare?: ((farm: EmbeddingFarm) => Promise<void>) | undefined;
}

/** The gateway's one connection to the farm. Redis may be down at the start: it is tried until it is there. */
export class FarmLink {
  readonly #options: FarmLinkOptions;
  readonly #closing = new AbortController();
  readonly #connected: Promise<void>;
  #farm: EmbeddingFarm | undefined;
  #inspector: Inspector | undefined;
  #status: { readonly readAtMs: number; readonly status: FarmStatus } | undefined;
  #reading: Promise<FarmStatus> | undefined;

  private constructor(options: FarmLinkOptions) {
    this.#options = options;
    this.#connected = this.#connect();
  }

  static open(options: FarmLinkOptions): FarmLink {
    return new FarmLink(options);
  }

  /** @throws FarmError `redis_unavailable` where the farm is not there within 2 s; `cancelled` on abort. */
  async farm(signal?: AbortSignal): Promise<EmbeddingFarm> {
    if (!this.#farm)
      await withDeadline(this.#connected, { signal, timeoutMs: WAIT_FOR_FARM_MS }, this.#silent);
    if (this.#farm && !this.#closing.signal.aborted) return this.#farm;
    throw new FarmError('cancelled', 'the gateway is closed');
  }

  /** The farm, as soon as it is there. @throws FarmError `cancelled` where the gateway closes before. */
  async connected(): Promise<EmbeddingFarm> {
    await this.#connected;
    return await this.farm();
  }

  /** The farm of half a second ago at most. @throws FarmError `redis_unavailable`. */
  async status(): Promise<FarmStatus> {
    const { readAtMs = -Infinity, status } = this.#status ?? {};
    if (status && performance.now() - readAtMs < STATUS_AGE_MS) return status;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return await withDeadline(this.#reading, { timeoutMs: STATUS_TIMEOUT_MS }, this.#silent);
  }

  /** Open calls reject with `cancelled`. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connected;
    await this.#farm?.close();
    await this.#inspector?.close();
    await this.#reading?.catch(() => undefined);
  }

  async #read(): Promise<FarmStatus> {
    await this.farm();
    if (!this.#inspector) throw this.#silent();
    const status = await withDeadline(
      this.#inspector.status(),
      // What a dead Redis owes is not waited for longer than the gateway lives.
      { signal: this.#closing.signal },
      this.#silent,
    );
    this.#status = { readAtMs: performance.now(), status };
    return status;
  }

  /** Never rejects: a farm that cannot be had is told of, and tried again. */
  async #connect(): Promise<void> {
    const { signal } = this.#closing;
    const { redis, prefix, prepare, logger } = this.#options;
    const place = prefix === undefined ? { redis } : { redis, prefix };
    let told: string | undefined;
    while (!signal.aborted) {
      try {
        this.#inspector ??= await Inspector.open(place, { signal });
        const farm = await EmbeddingFarm.connect(place, { signal });
        await prepare?.(farm).catch(async (thrown: unknown) => {
          await farm.close();
          throw thrown;
        });
        this.#farm = farm;
        if (told !== undefined) logger?.info('the farm is there');
        return;
      } catch (thrown) {
        const { message } = FarmError.from(thrown);
        if (!signal.aborted && message !== told) logger?.warn({ fault: message }, 'no farm yet, trying on');
        told = message;
        await rest(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  readonly #silent = (): FarmError =>
    new FarmError('redis_unavailable', `Redis at ${hidePassword(this.#options.redis)} does not answer`);
}
