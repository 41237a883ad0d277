import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRequestSchema } from '@embedfarm/contract';
import { Producer } from '@embedfarm/farm/producer';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobTraces } from './job-traces.ts';
import { openWorker, type RunningWorker } from './worker.ts';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
let hadSdk: boolean;
let redis: TestRedis;
let folder: string;
let worker: RunningWorker;
let producer: Producer;

beforeAll(async () => {
  hadSdk = JobTraces.hasSdk;
  provider.register();
  redis = await openTestRedis();
  folder = await mkdtemp(join(tmpdir(), 'embedfarm-traces-'));
  const model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
  const cacheDir = join(folder, 'cache');
  worker = await openWorker({ redis: redis.url, model, cacheDir, devices: 'cpu:1', otel: true });
  producer = await Producer.open({ redis: redis.url, telemetry: new BullMQOtel({ tracerName: 'app' }) });
});
beforeEach(() => exporter.reset());
afterAll(async () => {
  await producer.close();
  await worker.close();
  await redis.close();
  await provider.shutdown();
  await rm(folder, { recursive: true, force: true });
});

const request = (given: object = {}) => encodeRequestSchema.parse({ model: 'tiny', ...given });

async function spans(jobs: number): Promise<ReadableSpan[]> {
  return await eventually(() => {
    const all = exporter.getFinishedSpans();
    return all.filter(({ name }) => name === 'process').length >= jobs ? all : undefined;
  });
}

describe('a traced call', () => {
  it('is one trace, from the caller to the device', async () => {
    await trace.getTracer('app').startActiveSpan('request', async (span) => {
      await producer.encode(['the river', 'the'], request(), {});
      span.end();
    });
    const all = await spans(1);
    expect(all.map(pathOf(all)).toSorted()).toEqual([
      'request',
      'request > encode',
      'request > encode > process',
      'request > encode > process > batch wait',
      'request > encode > process > device',
      'request > encode > process > store',
      'request > encode > process > tokenize',
    ]);
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(all.find(({ name }) => name === 'process')?.attributes).toMatchObject({
      'messaging.destination.name': 'tiny-interactive',
      'embedfarm.outcome': 'done',
      'embedfarm.texts': 2,
    });
    expect(JSON.stringify(all.map(({ attributes, events }) => [attributes, events]))).not.toContain('river');
  });

  it('has every chunk of its own, also those that are sent when others are back', async () => {
    const texts = Array.from({ length: 70 * 256 }, () => 'the');
    await producer.encode(texts, request({ lane: 'bulk' }), {});
    const all = await spans(70);
    const jobs = all.map(pathOf(all)).filter((path) => path.endsWith('process'));
    expect(jobs).toEqual(Array.from({ length: 70 }, () => 'encode > process'));
  });

  it('tells why it failed', async () => {
    const long = Array.from({ length: 40 }, () => 'the').join(' ');
    await producer.encode([long], request({ truncate: 'error' }), {}).catch(() => undefined);
    const all = await spans(1);
    const encode = all.find(({ name }) => name === 'encode');
    expect(encode?.attributes).toMatchObject({ 'error.type': 'texts_failed' });
    expect(encode?.events.map(({ name }) => name)).toEqual(['exception']);
  });
});

it('makes no span for a call that is not traced, nor for what is no trace', async () => {
  const plain = await Producer.open({ redis: redis.url });
  await plain.encode(['the'], request(), {});
  for (const junk of ['', '{', 'null', '[]', '{"traceparent":"00-junk-junk-01"}', '{"traceparent":7}']) {
    await plain.encode(['the'], request(), { trace: junk });
  }
  await plain.close();
  await producer.encode(['the'], request(), {});
  const all = await spans(1);
  expect(all.filter(({ name }) => name === 'process')).toHaveLength(1);
});

it('knows whether an SDK takes its spans', () => {
  expect([hadSdk, JobTraces.hasSdk]).toEqual([false, true]);
});

it('names what is no telemetry', async () => {
  const opening = Producer.open({ redis: redis.url, telemetry: 'yes' as never });
  await expect(opening).rejects.toThrow(/telemetry.*BullMQOtel/u);
});

/** A span's name, after those that it is below of. */
function pathOf(all: readonly ReadableSpan[]): (span: ReadableSpan) => string {
  const path = (span: ReadableSpan): string => {
    const above = all.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
    return above ? `${path(above)} > ${span.name}` : span.name;
  };
  return path;
}
