import { encodeRequestSchema } from '@embedfarm/contract';
import { Producer } from '@embedfarm/farm/producer';
import { callRedis } from '@embedfarm/testkit/call-redis';
import { trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTracedProducer, pathOf, TracedFarm } from './testing/traced-farm.ts';

let farm: TracedFarm;
let producer: Producer;

beforeAll(async () => {
  farm = await TracedFarm.open();
  ({ producer } = farm);
});
beforeEach(() => farm.forget());
afterAll(() => farm.close());

const request = (given: object = {}) => encodeRequestSchema.parse({ model: 'tiny', ...given });
const texts = (count: number) => Array.from({ length: count }, () => 'the river');

function below<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  return trace.getTracer('app').startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}

function paths(all: readonly ReadableSpan[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const path of all.map(pathOf(all))) counts[path] = (counts[path] ?? 0) + 1;
  return counts;
}

const named = (all: readonly ReadableSpan[], name: string) => all.find((span) => span.name === name);

describe('a traced submit', () => {
  it('is one trace to the devices and back, with a span a chunk and none a text', async () => {
    const id = await below('request', async () => {
      const { requestId } = await producer.requests.submit(texts(5 * 256), request(), {}, {});
      await producer.requests.result(requestId, {}, {});
      return requestId;
    });
    const all = await farm.spans({ process: 5, request: 1 });
    expect(paths(all)).toMatchObject({
      request: 1,
      'request > submit': 1,
      'request > result': 1,
      'request > submit > process': 5,
      'request > submit > process > device': 5,
    });
    expect(all.length).toBeLessThanOrEqual(3 + 5 * 5);
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(named(all, 'submit')?.attributes).toEqual({
      'embedfarm.request_id': id,
      'embedfarm.texts': 1_280,
    });
    expect(JSON.stringify(all.map(({ attributes, events }) => [attributes, events]))).not.toContain('river');
  });

  it('lasts until all of an iterable is in the farm', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    async function* source() {
      yield* texts(256);
      await ended;
      yield* texts(44);
    }
    const { requestId, filled } = await producer.requests.submit(source(), request(), {}, {});
    expect(named(await farm.spans({}), 'submit')).toBeUndefined();
    end();
    await filled;
    await producer.requests.wait(requestId, {});
    const all = await farm.spans({ submit: 1, process: 2, wait: 1 });
    expect(named(all, 'submit')?.attributes).toMatchObject({ 'embedfarm.texts': 300 });
    expect(paths(all)).toMatchObject({ 'submit > process': 2, 'submit > wait': 1 });
  });

  it('tells what stopped it', async () => {
    function* source() {
      yield 'the';
      throw new Error('told to fail');
    }
    const { filled } = await producer.requests.submit(source(), request(), {}, {});
    await expect(filled).rejects.toThrow('told to fail');
    const missing = producer.requests.submit(['the'], request({ model: 'never' }), {}, {});
    await expect(missing).rejects.toMatchObject({ code: 'model_not_found' });
    const codes = (await farm.spans({ submit: 2 })).map(({ attributes }) => attributes['error.type']);
    expect(codes).toEqual(expect.arrayContaining(['invalid_argument', 'model_not_found']));
  });

  it('is linked by who waits for it in another process, below a span of its own', async () => {
    const { requestId } = await producer.requests.submit(texts(2), request(), {}, {});
    const other = await openTracedProducer(farm.redis.url);
    await below('later', async () => {
      await other.requests.wait(requestId, {});
      for await (const _ of other.requests.chunks(requestId, {}, {})) break;
    });
    const all = await farm.spans({ process: 1, wait: 1, rows: 1, later: 1 });
    expect(paths(all)).toMatchObject({ 'later > wait': 1, 'later > rows': 1, 'submit > process': 1 });
    const submit = named(all, 'submit')?.spanContext();
    for (const name of ['wait', 'rows']) {
      const span = named(all, name);
      expect(span?.links.map((link) => link.context)).toMatchObject([
        { traceId: submit?.traceId, spanId: submit?.spanId },
      ]);
      expect(span?.spanContext().traceId).not.toBe(submit?.traceId);
      expect(span?.attributes).toMatchObject({ 'embedfarm.request_id': requestId });
    }
    expect(named(all, 'rows')?.attributes).toMatchObject({ 'embedfarm.texts': 2 });
    // Who has no span of its own is in the trace of the submit.
    farm.forget();
    await other.requests.result(requestId, {}, {});
    const [result] = await farm.spans({ result: 1 });
    expect(result?.parentSpanContext).toMatchObject({ traceId: submit?.traceId, spanId: submit?.spanId });
    await other.close();
  });

  it('is waited for like any other where its record holds no trace, or junk', async () => {
    const plain = await Producer.open({ redis: farm.redis.url });
    for (const junk of [undefined, '', '{', '[]', '{"traceparent":"00-junk-junk-01"}', 'x'.repeat(5_000)]) {
      farm.forget();
      const { requestId } = await plain.requests.submit(['the'], request(), {}, {});
      const key = `{embedfarm}:request:${requestId}`;
      expect(await callRedis(farm.redis.url, 'HEXISTS', key, 'trace')).toBe(0);
      if (junk !== undefined) await callRedis(farm.redis.url, 'HSET', key, 'trace', junk);
      expect(await producer.requests.wait(requestId, {})).toMatchObject({ state: 'completed' });
      const all = await farm.spans({ wait: 1 });
      expect(all.map(({ name, links }) => [name, links.length])).toEqual([['wait', 0]]);
      expect(all[0]?.parentSpanContext).toBeUndefined();
    }
    await plain.close();
  });

  it('tells why waiting for it failed', async () => {
    await expect(producer.requests.wait('0-never-1', {})).rejects.toMatchObject({ code: 'result_expired' });
    const gone = producer.requests.chunks('0-never-1', {}, {});
    await expect(gone.next()).rejects.toMatchObject({ code: 'result_expired' });
    const all = await farm.spans({ wait: 1, rows: 1 });
    expect(all.map(({ attributes }) => attributes['error.type'])).toEqual([
      'result_expired',
      'result_expired',
    ]);
  });
});

describe.each([
  ['plain', {}],
  ['resumable', { id: 'import' }],
])('a traced stream that is %s', (kind, options) => {
  it('is one trace, from its first chunk to its last', async () => {
    await below('request', async () => {
      for await (const _ of producer.stream(texts(3 * 256), request(), options, {}));
    });
    const all = await farm.spans({ process: 3, request: 1 });
    expect(paths(all)).toMatchObject({
      request: 1,
      'request > encodeStream': 1,
      'request > encodeStream > process': 3,
      'request > encodeStream > process > device': 3,
    });
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
    const stream = named(all, 'encodeStream');
    expect(stream?.attributes).toEqual({ 'embedfarm.texts': 768, 'embedfarm.model': 'tiny' });
    const ends = all.filter(({ name }) => name === 'process').map(({ startTime }) => startTime[0]);
    for (const end of ends) expect(stream?.startTime[0]).toBeLessThanOrEqual(end);
  });

  it('ends where its consumer leaves, and where it fails', async () => {
    const own = [`${kind} other`];
    for await (const _ of producer.stream(own, request(), options, {})) break;
    const left = named(await farm.spans({ encodeStream: 1, process: 1 }), 'encodeStream');
    expect(left?.attributes).toMatchObject({ 'embedfarm.texts': 1 });
    expect(left?.events).toEqual([]);
    farm.forget();
    const failing = producer.stream(['the'], request({ model: 'never' }), options, {});
    await expect(failing.next()).rejects.toMatchObject({ code: 'model_not_found' });
    const failed = named(await farm.spans({ encodeStream: 1 }), 'encodeStream');
    expect(failed?.attributes).toMatchObject({ 'error.type': 'model_not_found' });
    expect(failed?.events.map(({ name }) => name)).toEqual(['exception']);
  });

  it('ends with its producer while it waits, and has no span where nobody begins it', async () => {
    const other = await openTracedProducer(farm.redis.url);
    async function* silent() {
      yield 'the';
      await new Promise(() => undefined);
    }
    other.stream(['the'], request(), options, {});
    const stream = other.stream(silent(), request(), options, {});
    const taking = (async () => {
      for await (const _ of stream);
    })();
    await Promise.all([other.close(), expect(taking).rejects.toMatchObject({ code: 'cancelled' })]);
    const all = await farm.spans({ encodeStream: 1 });
    expect(all.filter(({ name }) => name === 'encodeStream')).toHaveLength(1);
    expect(named(all, 'encodeStream')?.attributes).toMatchObject({ 'error.type': 'cancelled' });
  });
});

it('is ended by who leaves a traced stream while it waits for a chunk', async () => {
  async function* silent() {
    await new Promise(() => undefined);
    yield 'the';
  }
  const stream = producer.stream(silent(), request(), {}, {});
  const next = stream.next();
  await stream.return?.();
  expect(await next).toMatchObject({ done: true });
  await farm.spans({ encodeStream: 1 });
});

it('costs jobs and records nothing where the caller traces nothing', async () => {
  const plain = await Producer.open({ redis: farm.redis.url });
  await below('request', async () => {
    const { requestId } = await plain.requests.submit(['the'], request(), {}, {});
    await plain.requests.result(requestId, {}, {});
    for await (const _ of plain.stream(['the'], request(), {}, {}));
  });
  await plain.close();
  // What comes after it has come through, so what comes before has too.
  await producer.encode(['the'], request(), {});
  const all = await farm.spans({ process: 1 });
  expect(paths(all)).toMatchObject({ request: 1, encode: 1, 'encode > process': 1 });
  expect(all.filter(({ name }) => name === 'process')).toHaveLength(1);
});
