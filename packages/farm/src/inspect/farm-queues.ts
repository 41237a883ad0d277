import { LANES, queueName, redisKeys, WEBHOOK_QUEUE } from '@embedfarm/contract';
import { Queue } from 'bullmq';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';

/** Models whose queues are shown. */
const MAX_MODELS = 32;

/**
 * BullMQ's own view of a farm's queues, for who looks at jobs one by one. All share one connection, which outlives
 * its Redis: a question waits for it, so who asks has a deadline.
 */
export class FarmQueues {
  readonly #redis: FarmRedis;
  readonly #prefix: string;
  readonly #queues = new Map<string, Queue>();
  #closing: Promise<void> | undefined;

  private constructor(redis: FarmRedis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Waits for nothing. */
  static open({ redis, prefix }: { redis: string; prefix?: string | undefined }): FarmQueues {
    return new FarmQueues(connectRedis(redis), redisKeys(prefix).prefix);
  }

  /** The queues of these models, and that of webhooks; those of other models are let go of. */
  of(models: readonly string[]): readonly Queue[] {
    if (this.#closing) return [];
    const shown = models.slice(0, MAX_MODELS).flatMap((model) => LANES.map((lane) => queueName(model, lane)));
    const names = [...new Set([...shown, WEBHOOK_QUEUE])];
    for (const [name, queue] of this.#queues) {
      if (names.includes(name)) continue;
      this.#queues.delete(name);
      queue.close().catch(() => undefined);
    }
    return names.map((name) => this.#queue(name));
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new Queue(name, {
      connection: this.#redis,
      prefix: this.#prefix,
      // Who only looks leaves no key behind.
      skipMetasUpdate: true,
    });
    // The connection's faults are told by every question.
    queue.on('error', () => undefined);
    this.#queues.set(name, queue);
    return queue;
  }

  async #close(): Promise<void> {
    const closed = [...this.#queues.values()].map((queue) => queue.close().catch(() => undefined));
    disconnectRedis(this.#redis);
    await Promise.all(closed);
  }
}
