import { eventually } from '@embedfarm/testkit/eventually';
import { getEventListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Producer } from '../producer/producer.ts';
import { askRequestLease, readAdmission } from '../redis/admission.ts';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import { forgetRequest, openRequest } from './fill-request.ts';

describe('the end of a filling that nobody wants any more', () => {
  let farm: TestFarm;
  let producer: Producer;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    await farm.registerModel();
    producer = await farm.openProducer();
  });
  afterEach(() => farm.rest());

  async function* silentSource() {
    yield 'a';
    await new Promise(() => undefined);
  }

  it('does not wait for room when its producer closes', async () => {
    await farm.client.hset(farm.keys.admission, 'texts', 1e9);
    const other = await farm.openProducer();
    const iterable = await other.requests.submit(new Set(manyTexts(300)), encodeRequest(), {}, {});
    const list = other.requests.submit(manyTexts(300), encodeRequest(), {}, { whenOverloaded: 'wait' });
    const outcomes = Promise.allSettled([iterable.filled, list]);
    await eventually(async () => (await producer.requests.list({ state: 'filling' })).length === 2);
    await other.close();
    expect(await outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'cancelled' } },
      { status: 'rejected', reason: { code: 'cancelled' } },
    ]);
    expect(await producer.requests.read(iterable.requestId)).toMatchObject({ state: 'incomplete', texts: 0 });
    expect(await producer.requests.list({ state: 'filling' })).toEqual([]);
  });

  it('comes with the cancel, though the source is silent', async () => {
    const { requestId, filled } = await producer.requests.submit(silentSource(), encodeRequest(), {}, {});
    const outcome = filled.catch((error: unknown) => error);
    await eventually(async () => (await producer.requests.read(requestId)).texts === 1);
    await producer.requests.cancel(requestId);
    expect(await outcome).toMatchObject({ code: 'cancelled' });
  });

  it('leaves no record where the call was aborted before it heard of one', async () => {
    await submitted(producer, ['a'], encodeRequest(), {}, {});
    await farm.client.client('PAUSE', 300, 'ALL');
    const abort = new AbortController();
    const submitting = producer.requests.submit(['b'], encodeRequest(), {}, { signal: abort.signal });
    const outcome = submitting.catch((error: unknown) => error);
    setImmediate(() => abort.abort());
    expect(await outcome).toMatchObject({ code: 'cancelled' });
    expect(await producer.requests.list({})).toHaveLength(1);
    expect(await farm.client.zcard(farm.keys.openRequests)).toBe(1);
  });

  it('gives back room that was given unheard', async () => {
    const before = await readAdmission(farm.client, farm.keys);
    await openRequest(farm.client, farm.keys, {
      requestId: '0-f-1',
      clientId: producer.clientId,
      tenant: undefined,
      model: 'fake',
      lane: 'bulk',
      fingerprint: 'fake-1',
      label: undefined,
      webhook: undefined,
      options: { dtype: 'float32', truncate: 'end' },
      size: undefined,
      resultTtlMs: 60_000,
    });
    await askRequestLease(farm.client, farm.keys, '0-f-1', { texts: 100, bytes: 1_000 });
    await forgetRequest(farm.client, farm.keys, '0-f-1');
    const { texts, bytes } = await readAdmission(farm.client, farm.keys);
    expect({ texts, bytes }).toEqual({ texts: before.texts, bytes: before.bytes });
  });

  it('leaves nothing behind at a signal that lives on', async () => {
    const { signal } = new AbortController();
    const { filled } = await producer.requests.submit(new Set(['a']), encodeRequest(), {}, { signal });
    await filled;
    await submitted(producer, ['b'], encodeRequest(), {}, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
