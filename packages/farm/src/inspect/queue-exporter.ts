import type { FarmRedis } from '../redis/farm-redis.ts';
import { QueueViews } from './queue-views.ts';

/** BullMQ's finished jobs are counted by workers that keep them by minute; ours keep their own counts. */
const TOLD = 'bullmq_job_count';

/** BullMQ's own Prometheus exporter over all queues of a farm, as one text. */
export class QueueExporter {
  readonly #views: QueueViews;

  /** `redis` is shared, and stays open. */
  constructor(redis: FarmRedis, prefix: string) {
    this.#views = new QueueViews(redis, prefix);
  }

  async export(models: readonly string[]): Promise<string> {
    const texts = await Promise.all(this.#views.of(models).map((queue) => queue.exportPrometheusMetrics()));
    const lines = texts.flatMap((text) => text.split('\n'));
    const help = lines.filter((line) => line.startsWith('#') && line.split(' ')[2] === TOLD);
    const values = lines.filter((line) => line.startsWith(`${TOLD}{`));
    // Each text has its own help, and a second one is an error.
    return [...new Set(help), ...values, ''].join('\n');
  }

  async close(): Promise<void> {
    await this.#views.close();
  }
}
