import { redisKeys } from '@embedfarm/contract';
import type { Queue } from 'bullmq';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { QueueViews } from './queue-views.ts';

/**
 * BullMQ's own view of a farm's queues, for who looks at jobs one by one. All share one connection, which outlives
 * its Redis: a question waits for it, so who asks has a deadline.
 */
export class FarmQueues {
  readonly #redis: FarmRedis;
  readonly #views: QueueViews;
  #closing: Promise<void> | undefined;

  private constructor(redis: FarmRedis, prefix: string) {
    this.#redis = redis;
    this.#views = new QueueViews(redis, prefix);
  }

  /** Waits for nothing. */
  static open({ redis, prefix }: { redis: string; prefix?: string | undefined }): FarmQueues {
    return new FarmQueues(connectRedis(redis), redisKeys(prefix).prefix);
  }

  /** The queues of these models, and that of webhooks; those of other models are let go of. */
  of(models: readonly string[]): readonly Queue[] {
    return this.#closing ? [] : this.#views.of(models);
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.#views.close();
    disconnectRedis(this.#redis);
    await closed;
  }
}
