import { FarmError, MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { takeRows } from '../testing/take-rows.ts';
import { encodeRequest, manyTexts, TestFarm } from '../testing/test-farm.ts';
import type { EncodedChunk, StreamOptions } from './producer-port.ts';
import type { Producer } from './producer.ts';

const CHUNKS = 5;
const TEXTS = manyTexts(CHUNKS * MAX_CHUNK_TEXTS - 10);
const ROWS = TEXTS.map((text, index) => [index, fakeVector(text)]);

describe('a stream with an id', () => {
  let farm: TestFarm;
  let encoder: FakeEncoder;
  /** One of them dies, the other one goes on. */
  let producer: Producer;
  let next: Producer;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    encoder = new FakeEncoder();
    await farm.openWorker(encoder);
    producer = await farm.openProducer();
    next = await farm.openProducer();
  });
  afterEach(async () => {
    encoder.release();
    await farm.settleQueue();
    await farm.rest();
    const failedJobs = [/:failed$/, /:0-stream-[^:]*\.\d+$/];
    expect(await keysWithoutTtl(farm.redis.url, failedJobs)).toEqual([]);
  });

  function stream(
    options: StreamOptions = {},
    {
      by = producer,
      texts = TEXTS,
      request = {},
    }: { by?: Producer; texts?: readonly string[]; request?: object } = {},
  ): AsyncIterableIterator<EncodedChunk> {
    return by.stream(texts, encodeRequest(request), { id: 'corpus', ...options }, {});
  }

  const results = async (): Promise<string[]> => await farm.client.keys('{embedfarm}:result:0-stream-*');

  it('goes on from a position inside a chunk, and encodes nothing that is stored or under way', async () => {
    const first = stream({ window: 3 });
    await first.next();
    await first.next();
    await encoder.arrived(CHUNKS);
    await first.return?.();
    expect(await takeRows(stream({ position: 300 }, { by: next }))).toEqual(ROWS.slice(300));
    expect(encoder.calls).toHaveLength(CHUNKS);
  });

  it('waits for what another process has sent, whose replies go elsewhere', async () => {
    encoder.hold();
    const waiting = stream().next();
    await eventually(
      async () => (await farm.client.zcard('{embedfarm}:fake-bulk:prioritized')) === CHUNKS - 2,
    );
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'cancelled' }), producer.close()]);
    const going = takeRows(stream({}, { by: next }));
    encoder.release();
    expect(await going).toEqual(ROWS);
    expect(encoder.calls).toHaveLength(CHUNKS);
  });

  it('encodes a text that has changed, and what other options are asked for, anew', async () => {
    const first = stream();
    await first.next();
    await eventually(async () => (await results()).length === CHUNKS);
    await first.return?.();
    const texts = TEXTS.with(300, 'another one');
    const rows = await takeRows(stream({}, { by: next, texts }));
    expect(rows[300]).toEqual([300, fakeVector('another one')]);
    expect(rows.toSpliced(300, 1)).toEqual(ROWS.toSpliced(300, 1));
    expect(encoder.calls).toHaveLength(CHUNKS + 1);
    const short = await takeRows(stream({}, { by: next, request: { dimensions: 2 } }));
    expect(short[0]).toEqual([0, fakeVector('text 0').slice(0, 2)]);
    expect(await takeRows(stream({ id: 'another' }, { by: next }))).toEqual(ROWS);
    expect(encoder.calls).toHaveLength(3 * CHUNKS + 1);
  });

  it('encodes a chunk again whose failure may have passed', async () => {
    encoder.failNext(new FarmError('model_changed', 'for a while'));
    await expect(stream({ window: 1 }).next()).rejects.toMatchObject({ code: 'model_changed' });
    expect(await results()).toHaveLength(1);
    expect(await takeRows(stream({}, { by: next }))).toEqual(ROWS);
    expect(encoder.calls).toHaveLength(CHUNKS + 1);
  });

  it('keeps a result until its consumer is a chunk past it, and the last ones for ten minutes', async () => {
    const chunks = stream();
    for (let taken = 1; taken <= CHUNKS; taken += 1) {
      await chunks.next();
      // The one that was taken before is kept: who dies now may have noted nothing of it.
      const kept = CHUNKS - Math.max(0, taken - 2);
      await eventually(async () => (await results()).length === kept, { what: `${kept} results` });
    }
    await chunks.next();
    await eventually(async () => (await results()).length === 1);
    const [result = ''] = await results();
    await eventually(async () => (await farm.client.pttl(result)) <= 600_000);
    expect(await results()).toEqual([result]);
  });

  it('keeps what was taken out of its turn until all before it is taken', async () => {
    encoder.holdTexts(['text 0']);
    const chunks = stream({ order: 'finished', window: 3 });
    await chunks.next();
    await chunks.next();
    const third = chunks.next();
    await eventually(async () => (await results()).length === 2);
    // No chunk is sent that is further than the window from the first.
    expect(encoder.calls).toHaveLength(3);
    encoder.release();
    expect((await third).value).toMatchObject({ from: 0 });
    await chunks.return?.();
  });

  it('sends only full chunks, whenever its texts come', async () => {
    const texts = (async function* (): AsyncGenerator<string> {
      for (const text of TEXTS) {
        if (text === 'text 100') await new Promise((resolve) => setTimeout(resolve, 100));
        yield text;
      }
    })();
    const rows = await takeRows(producer.stream(texts, encodeRequest(), { id: 'corpus' }, {}));
    expect(rows).toEqual(ROWS);
    expect(encoder.calls).toHaveLength(CHUNKS);
  });

  it('finds bad texts at their places again', async () => {
    const texts = ['a', '\udc00', 'b'];
    const expected = [
      [0, fakeVector('a')],
      [1, expect.stringContaining('lone surrogate')],
      [2, fakeVector('b')],
    ];
    expect(await takeRows(stream({}, { texts }))).toEqual(expected);
    expect(await takeRows(stream({}, { by: next, texts }))).toEqual(expected);
    expect(encoder.calls).toHaveLength(1);
  });

  it('takes a result that was overwritten by hand for none', async () => {
    const first = stream();
    await first.next();
    await eventually(async () => (await results()).length === CHUNKS);
    await first.return?.();
    for (const key of await results()) await farm.client.set(key, 'not a block', 'EX', 60);
    expect(await takeRows(stream({}, { by: next }))).toEqual(ROWS);
    expect(encoder.calls).toHaveLength(2 * CHUNKS);
  });

  it('is refused where the same is open in this process', async () => {
    encoder.hold();
    const first = stream();
    const waiting = first.next();
    await encoder.arrived(1);
    await expect(stream().next()).rejects.toMatchObject({ code: 'invalid_argument' });
    encoder.release();
    await expect(waiting).resolves.toMatchObject({ done: false });
    await first.return?.();
  });
});
