import { LANES, queueName, WEBHOOK_QUEUE } from '@embedfarm/contract';
import { Queue } from 'bullmq';
import type { FarmRedis } from '../redis/farm-redis.ts';

/** Models whose queues are looked at; each queue costs a few commands. */
const MAX_MODELS = 32;

/** BullMQ's view of queues, for who only looks: opened when asked for, all on one connection of the owner's. */
export class QueueViews {
  readonly #redis: FarmRedis;
  readonly #prefix: string;
  readonly #queues = new Map<string, Queue>();

  constructor(redis: FarmRedis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** The queues of these models, and that of webhooks; those of other models are let go of. */
  of(models: readonly string[]): readonly Queue[] {
    const shown = models.slice(0, MAX_MODELS).flatMap((model) => LANES.map((lane) => queueName(model, lane)));
    const names = [...new Set([...shown, WEBHOOK_QUEUE])];
    for (const [name, queue] of this.#queues) {
      if (names.includes(name)) continue;
      this.#queues.delete(name);
      queue.close().catch(() => undefined);
    }
    return names.map((name) => this.#queue(name));
  }

  /** Begins to close every queue. The connection stays its owner's. */
  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => undefined)));
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
}
