import { FarmError, MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from '../inspect/inspector.ts';
import type { Producer } from '../producer/producer.ts';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import { FarmWorker } from '../worker/farm-worker.ts';

checkOpenHandles();

const TEXTS = manyTexts(3 * MAX_CHUNK_TEXTS);
const FAULT = new FarmError('invalid_argument', 'the device does not like it');

describe('a retry', () => {
  let farm: TestFarm;
  let producer: Producer;
  let encoder: FakeEncoder;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    producer = await farm.openProducer();
    encoder = new FakeEncoder();
  });
  afterEach(() => farm.rest());

  /** A request of three chunks, of which so many fail as a whole. */
  async function failedRequest(
    failures: number,
    request: object = {},
    terms: Parameters<Producer['requests']['submit']>[2] = {},
    texts = TEXTS,
  ): Promise<string> {
    for (let failure = 0; failure < failures; failure += 1) encoder.failNext(FAULT);
    await farm.openWorker(encoder, { bulkConcurrency: 1 });
    const id = await submitted(producer, texts, encodeRequest(request), terms, {});
    await producer.requests.wait(id, {});
    return id;
  }

  it('is one where several ask for it at once', async () => {
    const id = await failedRequest(1);
    const others = await Promise.all([farm.openProducer(), farm.openProducer(), farm.openProducer()]);
    const asked = await Promise.allSettled(others.map(({ requests }) => requests.retry(id, {})));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refusals = asked.flatMap((one) =>
      one.status === 'rejected' ? [FarmError.from(one.reason).code] : [],
    );
    expect(refusals).toEqual(['invalid_argument', 'invalid_argument']);
    expect(await producer.requests.list({})).toHaveLength(2);
    expect(await farm.client.hexists(farm.keys.request(id), 'retryClaimedUntilMs')).toBe(0);
  });

  it('submits the failed chunks alone, with the options, label, lane and tenant of then', async () => {
    const options = { dimensions: 2, tenant: 'acme', lane: 'bulk' };
    const terms = { label: 'reindex', resultTtlMs: 60_000 };
    const id = await failedRequest(2, options, terms);
    expect(await producer.requests.read(id)).toMatchObject({ textsDone: 256, textsFailed: 512 });
    const other = await farm.openProducer();
    const { requestId, ranges } = await other.requests.retry(id, {});
    expect(ranges).toEqual([{ from: 0, to: 512 }]);
    expect(await producer.requests.wait(requestId, {})).toMatchObject({
      ...terms,
      lane: 'bulk',
      tenant: 'acme',
      state: 'completed',
      texts: 512,
      textsDone: 512,
      clientId: other.clientId,
    });
    const { block } = await producer.requests.result(requestId, {}, {});
    const expected = TEXTS.slice(0, 512).flatMap((text) => fakeVector(text).slice(0, 2));
    expect(Array.from(block.values)).toEqual(expected);
    // What the farm holds for both is nothing any more but their results.
    expect(await farm.client.zcard(farm.keys.openRequests)).toBe(0);
  });

  it('takes the turns of the client that submitted, and keeps the cache on', async () => {
    const id = await failedRequest(1, { cache: { ttlMs: 5_000 } });
    const other = await farm.openProducer();
    const { requestId } = await other.requests.retry(id, {});
    expect(await producer.requests.wait(requestId, {})).toMatchObject({ tenant: producer.clientId });
    expect(await farm.client.keys('{embedfarm}:cache:*')).toHaveLength(768);
  });

  it('is for once, but for one that was taken back', async () => {
    const id = await failedRequest(1);
    encoder.hold();
    const first = await producer.requests.retry(id, {});
    await expect(producer.requests.retry(id, {})).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(`retried before, as ${first.requestId}`),
    });
    await producer.requests.cancel(first.requestId);
    encoder.release();
    const second = await producer.requests.retry(id, {});
    expect(await producer.requests.wait(second.requestId, {})).toMatchObject({ textsDone: 256 });
  });

  it('leaves out texts that were refused before they came, and says where the others stood', async () => {
    encoder.failNext(FAULT);
    await farm.openWorker(encoder);
    const source = ['a', 'b', '\ud800', 'c'];
    const { requestId: id, filled } = await producer.requests.submit(
      new Set(source),
      encodeRequest(),
      {},
      {},
    );
    await filled;
    await producer.requests.wait(id, {});
    const { requestId, ranges } = await producer.requests.retry(id, {});
    expect(ranges).toEqual([
      { from: 0, to: 2 },
      { from: 3, to: 4 },
    ]);
    const { block } = await producer.requests.result(requestId, {}, {});
    expect(Array.from(block.values)).toEqual(['a', 'b', 'c'].flatMap(fakeVector));
  });

  it('says why there is nothing to submit', async () => {
    await expect(producer.requests.retry('0-never-1', {})).rejects.toMatchObject({ code: 'result_expired' });
    const good = await failedRequest(0);
    await expect(producer.requests.retry(good, {})).rejects.toMatchObject({ code: 'invalid_argument' });
    // A text that failed alone went with its chunk, which was encoded.
    const alone = await submitted(producer, ['bad text', 'good'], encodeRequest(), {}, {});
    await producer.requests.wait(alone, {});
    await expect(producer.requests.retry(alone, {})).rejects.toMatchObject({ code: 'result_expired' });
    encoder.hold();
    const running = await submitted(producer, TEXTS, encodeRequest(), {}, {});
    await expect(producer.requests.retry(running, {})).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('cancel it, or wait for it'),
    });
    encoder.release();
    await producer.requests.wait(running, {});
  });

  it('reads no jobs that were written over by hand', async () => {
    const id = await failedRequest(3);
    const keys = farm.keys.jobPrefix('fake', 'bulk');
    await farm.client.hset(`${keys}${id}.0`, 'data', '{"texts":');
    await farm.client.hset(`${keys}${id}.1`, 'data', '{"version":1,"texts":["<b>"]}');
    const { ranges } = await producer.requests.retry(id, {});
    expect(ranges).toEqual([{ from: 512, to: 768 }]);
  });

  it('is refused where the model has other weights by now, and where the farm is full', async () => {
    const id = await failedRequest(2);
    await producer.limits.set({ texts: MAX_CHUNK_TEXTS });
    await expect(producer.requests.retry(id, {})).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('512'),
    });
    await producer.limits.set({ texts: 1_000 });
    await farm.rest();
    await farm.client.del(farm.keys.modelWorkers('fake'), farm.keys.model('fake'));
    const changed = await FarmWorker.open(fakeRegistration('fake', 'fake-2'), encoder, {
      redis: farm.redis.url,
    });
    const other = await farm.openProducer();
    await expect(other.requests.retry(id, {})).rejects.toMatchObject({ code: 'model_changed' });
    expect(await farm.client.zcard(farm.keys.openRequests)).toBe(0);
    await changed.close();
  });

  it('is offered beside a request as long as its record may have failed chunks', async () => {
    const id = await failedRequest(1, {}, { label: '<b>label</b>' });
    encoder.hold();
    const open = await submitted(producer, TEXTS, encodeRequest(), {}, {});
    const newest = await submitted(producer, TEXTS, encodeRequest(), {}, {});
    await producer.requests.cancel(newest);
    encoder.release();
    await producer.requests.wait(newest, {});
    encoder.hold();
    const inspector = await Inspector.open({ redis: farm.redis.url });
    const rows = await inspector.requests(100);
    expect(rows.map(({ requestId }) => requestId)).toEqual(expect.arrayContaining([open, newest, id]));
    expect(rows.find(({ requestId }) => requestId === id)).toMatchObject({
      label: '<b>label</b>',
      canCancel: false,
      canRetry: true,
      etaMs: 0,
      textsFailed: 256,
    });
    expect(await inspector.requests(1)).toHaveLength(1);
    encoder.release();
    await producer.requests.wait(open, {});
    await producer.requests.retry(id, {});
    const after = await inspector.requests(100);
    expect(after.find(({ requestId }) => requestId === id)).toMatchObject({ canRetry: false });
    await inspector.close();
  });
});
