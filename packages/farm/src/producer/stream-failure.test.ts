import { MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { takeRows } from '../testing/take-rows.ts';
import { encodeRequest, manyTexts, TestFarm } from '../testing/test-farm.ts';

const TEXTS = manyTexts(12 * MAX_CHUNK_TEXTS);

describe('a stream whose farm breaks', () => {
  let farm: TestFarm;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterEach(() => farm.rest());
  afterAll(() => farm.close());

  it.each([[undefined], ['corpus']])(
    'gives every row once, in order, though Redis is killed (id %s)',
    async (id) => {
      const encoder = new FakeEncoder();
      await farm.openWorker(encoder);
      const producer = await farm.openProducer();
      encoder.holdTexts(['text 1000']);
      const chunks = producer.stream(TEXTS, encodeRequest(), { id, window: 8 }, {});
      const first = await chunks.next();
      await farm.redis.restart();
      encoder.release();
      const rows = await takeRows(chunks);
      expect(first.value).toMatchObject({ from: 0 });
      expect(rows).toEqual(TEXTS.map((text, index) => [index, fakeVector(text)]).slice(MAX_CHUNK_TEXTS));
    },
  );

  it('gives every row once, in order, though the worker is another one in the middle', async () => {
    const encoder = new FakeEncoder();
    const worker = await farm.openWorker(encoder);
    const producer = await farm.openProducer();
    encoder.holdTexts(['text 1000']);
    const chunks = producer.stream(TEXTS, encodeRequest(), { window: 8 }, {});
    await chunks.next();
    await farm.openWorker();
    await worker.close({ graceMs: 0 });
    expect(await takeRows(chunks)).toHaveLength(TEXTS.length - MAX_CHUNK_TEXTS);
  });
});
