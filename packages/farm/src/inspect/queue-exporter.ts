import { LANES, queueName, WEBHOOK_QUEUE } from '@embedfarm/contract';
import { Queue } from 'bullmq';
import type { FarmRedis } from '../redis/farm-redis.ts';

/** Models whose queues are told of; each queue costs a few commands. */
const MAX_MODELS = 32;
/** BullMQ's finished jobs are counted by workers that keep them by minute; ours keep their own counts. */
const TOLD = 'bullmq_job_count';

/** BullMQ's own Prometheus exporter over all queues of a farm, as one text. */
export class QueueExporter {
  readonly #redis: FarmRedis;
  readonly #prefix: string;
  readonly #queues = new Map<string, Queue>();

  /** `redis` is shared, and stays open. */
  constructor(redis: FarmRedis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async export(models: readonly string[]): Promise<string> {
    const names = models.slice(0, MAX_MODELS).flatMap((model) => LANES.map((lane) => queueName(model, lane)));
    const queues = [...names, WEBHOOK_QUEUE].map((name) => this.#queue(name));
    const texts = await Promise.all(queues.map((queue) => queue.exportPrometheusMetrics()));
    const lines = texts.flatMap((text) => text.split('\n'));
    const help = lines.filter((line) => line.startsWith('#') && line.split(' ')[2] === TOLD);
    const values = lines.filter((line) => line.startsWith(`${TOLD}{`));
    // Each text has its own help, and a second one is an error.
    return [...new Set(help), ...values, ''].join('\n');
  }

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
    // The connection's faults are told by every call.
    queue.on('error', () => undefined);
    this.#queues.set(name, queue);
    return queue;
  }
}
