import { encodeRequestSchema } from '@embedfarm/contract';
import { Producer } from '@embedfarm/farm/producer';
import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobTraces } from './job-traces.ts';
import { pathOf, TracedFarm } from './testing/traced-farm.ts';

let hadSdk: boolean;
let farm: TracedFarm;
let producer: Producer;

beforeAll(async () => {
  hadSdk = JobTraces.hasSdk;
  farm = await TracedFarm.open();
  ({ producer } = farm);
});
beforeEach(() => farm.forget());
afterAll(() => farm.close());

const request = (given: object = {}) => encodeRequestSchema.parse({ model: 'tiny', ...given });

describe('a traced call', () => {
  it('is one trace, from the caller to the device', async () => {
    await trace.getTracer('app').startActiveSpan('request', async (span) => {
      await producer.encode(['the river', 'the'], request(), {});
      span.end();
    });
    const all = await farm.spans({ process: 1 });
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
    const all = await farm.spans({ process: 70 });
    const jobs = all.map(pathOf(all)).filter((path) => path.endsWith('process'));
    expect(jobs).toEqual(Array.from({ length: 70 }, () => 'encode > process'));
  });

  it('tells why it failed', async () => {
    const long = Array.from({ length: 40 }, () => 'the').join(' ');
    await producer.encode([long], request({ truncate: 'error' }), {}).catch(() => undefined);
    const all = await farm.spans({ process: 1 });
    const encode = all.find(({ name }) => name === 'encode');
    expect(encode?.attributes).toMatchObject({ 'error.type': 'texts_failed' });
    expect(encode?.events.map(({ name }) => name)).toEqual(['exception']);
  });
});

it('makes no span for a call that is not traced, nor for what is no trace', async () => {
  const plain = await Producer.open({ redis: farm.redis.url });
  await plain.encode(['the'], request(), {});
  for (const junk of ['', '{', 'null', '[]', '{"traceparent":"00-junk-junk-01"}', '{"traceparent":7}']) {
    await plain.encode(['the'], request(), { trace: junk });
  }
  await plain.close();
  await producer.encode(['the'], request(), {});
  const all = await farm.spans({ process: 1 });
  expect(all.filter(({ name }) => name === 'process')).toHaveLength(1);
});

it('knows whether an SDK takes its spans', () => {
  expect([hadSdk, JobTraces.hasSdk]).toEqual([false, true]);
});

it('names what is no telemetry', async () => {
  const opening = Producer.open({ redis: farm.redis.url, telemetry: 'yes' as never });
  await expect(opening).rejects.toThrow(/telemetry.*BullMQOtel/u);
});
