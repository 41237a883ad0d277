import { createRequire } from 'node:module';
import { FarmError, WEBHOOK_QUEUE, type RedisKeys } from '@embedfarm/contract';
import { UnrecoverableError, WaitingError, Worker, type Job, type Queue } from 'bullmq';
import { disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { deliverWebhook } from './deliver-webhook.ts';
import { DeliveryFault } from './delivery-fault.ts';
import { handOverEnds, openWebhookQueue } from './hand-over.ts';
import { noteDelivery } from './note-delivery.ts';
import { postWebhook } from './post-webhook.ts';
import { retryDelayMs } from './retry-delay.ts';
import { serveHosts } from './served-hosts.ts';
import type { WebhookOptions } from './webhook-options.ts';

/** Posts in flight per worker: they wait for others, and cost nothing. */
const CONCURRENCY = 32;
/** BullMQ's own limit never decides: a death is no attempt. */
const MAX_STALLS = 1_000;
/** Beyond the grace time, for giving jobs back. */
const HAND_BACK_MS = 2_000;

export interface WebhookDelivererParts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly nowMs: () => number;
  readonly options: WebhookOptions;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly heartbeatMs: number;
  readonly onFault: (what: string, fault: unknown) => void;
}

/** Posts the ends of requests that asked for it. At least once: receivers tell repeats by `webhook-id`. */
export class WebhookDeliverer {
  readonly #parts: WebhookDelivererParts;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #timers: NodeJS.Timeout[];
  readonly #abort = new AbortController();
  readonly #userAgent = `embedfarm/${ownVersion()}`;
  #polling: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(parts: WebhookDelivererParts) {
    const { redis, keys, options, lockDurationMs, stalledIntervalMs, heartbeatMs, onFault } = parts;
    this.#parts = parts;
    this.#queue = openWebhookQueue(redis, keys.prefix);
    this.#worker = new Worker(WEBHOOK_QUEUE, (job, token) => this.#process(job, token), {
      connection: redis,
      prefix: keys.prefix,
      concurrency: CONCURRENCY,
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      maxStalledCount: MAX_STALLS,
      runRetryDelay: 500,
      drainDelay: 5,
      settings: {
        // BullMQ counts the delay by its hosts' clocks: one that is minutes ahead moves a retry by minutes, of hours.
        backoffStrategy: (failedAttempts, _type, fault) =>
          retryDelayMs(
            options.retryDelaysMs,
            failedAttempts,
            (fault instanceof DeliveryFault ? fault.retryAfterMs : undefined) ?? 0,
            Math.random(),
          ),
      },
    });
    this.#worker.on('error', (fault) => onFault('webhooks', fault));
    this.#timers = [
      setInterval(() => this.#poll(), options.pollMs),
      setInterval(() => void this.#serve(), heartbeatMs),
    ];
  }

  /** Resolves when Redis knows where it delivers to. */
  static async open(parts: WebhookDelivererParts): Promise<WebhookDeliverer> {
    const deliverer = new WebhookDeliverer(parts);
    deliverer.#poll();
    await deliverer.#serve();
    return deliverer;
  }

  /**
   * Posts in flight may finish for `graceMs`; after that they go back to their queue. Safe to call twice.
   *
   * @throws FarmError `redis_unavailable` when Redis does not take them back; the stalled check does it then.
   */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  #poll(): void {
    if (this.#polling) return;
    const { redis, keys, options, onFault } = this.#parts;
    this.#polling = handOverEnds(redis, keys, this.#queue, options.retryDelaysMs.length + 1, onFault)
      .catch((fault: unknown) => onFault('webhooks', fault))
      .finally(() => (this.#polling = undefined));
  }

  async #serve(): Promise<void> {
    const { redis, keys, options, onFault } = this.#parts;
    await serveHosts(redis, keys, options.hosts).catch((fault: unknown) => onFault('webhooks', fault));
  }

  async #process(job: Job, token: string | undefined): Promise<null> {
    const { redis, keys, options, nowMs, onFault } = this.#parts;
    // Fetched while the close was on its way.
    if (this.#closing) await giveBack(job, token);
    const attempt = job.attemptsMade + 1;
    const isLastAttempt = attempt >= (job.opts.attempts ?? 1);
    try {
      await deliverWebhook(
        { data: job.data, attempt, isLastAttempt },
        {
          hosts: options.hosts,
          secrets: options.secrets,
          timeoutMs: options.timeoutMs,
          userAgent: this.#userAgent,
          nowMs,
          post: postWebhook,
          note: (requestId, outcome) => noteDelivery(redis, keys, requestId, outcome),
        },
        this.#abort.signal,
      );
      return null;
    } catch (thrown) {
      const fault = FarmError.from(thrown);
      if (fault.code === 'cancelled') await giveBack(job, token);
      const isFinal = fault instanceof DeliveryFault ? fault.isFinal : !fault.retryable;
      if (isFinal || isLastAttempt) onFault(`webhook of ${job.id} given up`, fault);
      if (isFinal) throw new UnrecoverableError(fault.message);
      throw fault;
    }
  }

  async #close(graceMs: number): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const grace = setTimeout(() => this.#abort.abort(), graceMs);
    const timeoutMs = Math.min(graceMs, this.#parts.options.timeoutMs) + HAND_BACK_MS;
    try {
      const drained = Promise.all([this.#worker.close(), this.#polling]);
      await withDeadline(
        drained,
        { timeoutMs },
        () => new FarmError('redis_unavailable', `webhooks were not given back within ${timeoutMs} ms`),
      );
    } catch (thrown) {
      // BullMQ waits for the end of its own connection, which one without a Redis does not tell by itself.
      this.#worker.backend.blockingClient?.then(disconnectRedis).catch(() => undefined);
      throw thrown;
    } finally {
      clearTimeout(grace);
      await this.#queue.close();
    }
  }
}

async function giveBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

function ownVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('../../package.json') as { version: string }).version;
}
