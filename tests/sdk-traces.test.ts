import { FarmWorker } from '@embedfarm/farm/worker';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('a web app that traces', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let redis: TestRedis;
  let worker: FarmWorker;

  beforeAll(async () => {
    provider.register();
    redis = await openTestRedis();
    worker = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), { redis: redis.url });
  });
  afterAll(async () => {
    await worker?.close();
    await redis?.close();
    await provider.shutdown();
  });

  it('has the calls of connect({ telemetry }) below its own spans, and their texts in none', async () => {
    const telemetry = new BullMQOtel({ tracerName: 'app' });
    const farm = await EmbeddingFarm.connect({ redis: redis.url, telemetry });
    const parent = await trace.getTracer('app').startActiveSpan('GET /search', async (span) => {
      await farm.encode(['a secret text']);
      const request = await farm.submit(['another secret']);
      await request.wait();
      await request.result();
      span.end();
      return span.spanContext();
    });
    await farm.close();
    const spans = exporter.getFinishedSpans().filter(({ name }) => name !== 'GET /search');
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['encode', 'result', 'submit', 'wait']);
    for (const span of spans) expect(span.parentSpanContext?.spanId).toBe(parent.spanId);
    const told = spans.map(({ attributes, events, status }) => [attributes, events, status]);
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('has none without telemetry, and hears what is no telemetry', async () => {
    exporter.reset();
    const farm = await EmbeddingFarm.connect({ redis: redis.url });
    await farm.encode(['not traced']);
    await farm.close();
    expect(exporter.getFinishedSpans()).toEqual([]);
    const broken = EmbeddingFarm.connect({ redis: redis.url, telemetry: {} as never });
    await expect(broken).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/telemetry.*BullMQOtel/u),
    });
  });
});
