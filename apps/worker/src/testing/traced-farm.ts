import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Producer } from '@embedfarm/farm/producer';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import { openWorker, type RunningWorker } from '../worker.ts';

/** A Redis, a worker of the model `tiny` and a producer, all of them traced by an SDK that keeps its spans. */
export class TracedFarm {
  readonly redis: TestRedis;
  readonly worker: RunningWorker;
  readonly producer: Producer;
  readonly #folder: string;
  readonly #exporter: InMemorySpanExporter;
  readonly #provider: NodeTracerProvider;

  private constructor(
    parts: Pick<TracedFarm, 'redis' | 'worker' | 'producer'> & { folder: string },
    exporter: InMemorySpanExporter,
    provider: NodeTracerProvider,
  ) {
    this.redis = parts.redis;
    this.worker = parts.worker;
    this.producer = parts.producer;
    this.#folder = parts.folder;
    this.#exporter = exporter;
    this.#provider = provider;
  }

  static async open(): Promise<TracedFarm> {
    const exporter = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
    const redis = await openTestRedis();
    const folder = await mkdtemp(join(tmpdir(), 'embedfarm-traces-'));
    const model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
    const cacheDir = join(folder, 'cache');
    const worker = await openWorker({ redis: redis.url, model, cacheDir, devices: 'cpu:1', otel: true });
    const producer = await openTracedProducer(redis.url);
    return new TracedFarm({ redis, worker, producer, folder }, exporter, provider);
  }

  /** Spans that ended before are forgotten. */
  forget(): void {
    this.#exporter.reset();
  }

  /** All spans that have ended, once there are so many of each name. */
  async spans(counts: Readonly<Record<string, number>>): Promise<ReadableSpan[]> {
    return await eventually(() => {
      const all = this.#exporter.getFinishedSpans();
      const has = (name: string, count: number) => all.filter((span) => span.name === name).length >= count;
      return Object.entries(counts).every(([name, count]) => has(name, count)) ? all : undefined;
    });
  }

  async close(): Promise<void> {
    await this.producer.close();
    await this.worker.close();
    await this.redis.close();
    await this.#provider.shutdown();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** One more process of the application's, as far as traces go. */
export function openTracedProducer(redis: string): Promise<Producer> {
  return Producer.open({ redis, telemetry: new BullMQOtel({ tracerName: 'app' }) });
}

/** A span's name, after those that it is below of. */
export function pathOf(all: readonly ReadableSpan[]): (span: ReadableSpan) => string {
  const path = (span: ReadableSpan): string => {
    const above = all.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
    return above ? `${path(above)} > ${span.name}` : span.name;
  };
  return path;
}
