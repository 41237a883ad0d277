import { queueName } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redisKeys } from '@embedfarm/contract';
import { bulkJobs } from '../queue/bulk-job.fixture.ts';
import { EncodeQueue } from '../queue/encode-queue.ts';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import { Inspector } from './inspector.ts';

const NOTHING = { jobs: 0, texts: 0, tokens: 0, oldestMs: undefined, clearSeconds: 0 };
const BULK = `{embedfarm}:${queueName('fake', 'bulk')}`;

describe('what waits', () => {
  let farm: TestFarm;
  let inspector: Inspector;

  beforeAll(async () => {
    farm = await TestFarm.open();
    inspector = await Inspector.open({ redis: farm.redis.url });
  });
  afterAll(async () => {
    await inspector.close();
    await farm.close();
  });
  beforeEach(() => farm.client.flushall());
  afterEach(() => farm.rest());

  it('is nothing in a farm that nobody has used', async () => {
    expect(await inspector.waiting()).toEqual({ interactive: NOTHING, bulk: NOTHING });
    await farm.registerModel();
    expect(await inspector.waiting()).toEqual({ interactive: NOTHING, bulk: NOTHING });
  });

  it('is counted to the text where few jobs wait, by lane', async () => {
    await farm.registerModel();
    const producer = await farm.openProducer();
    await submitted(producer, manyTexts(300), encodeRequest({ lane: 'bulk' }), {}, {});
    await submitted(producer, manyTexts(7), encodeRequest({ lane: 'interactive' }), {}, {});
    await submitted(producer, manyTexts(1), encodeRequest({ lane: 'interactive' }), {}, {});
    const { interactive, bulk } = await inspector.waiting();
    expect(interactive).toMatchObject({ jobs: 2, texts: 8, tokens: 0, clearSeconds: undefined });
    expect(bulk).toMatchObject({ jobs: 2, texts: 300, clearSeconds: undefined });
    expect(bulk.oldestMs).toBeGreaterThanOrEqual(interactive.oldestMs ?? Infinity);
    expect(bulk.oldestMs).toBeLessThan(10_000);
  });

  it('is estimated from jobs all over the queue where many wait', async () => {
    await farm.registerModel();
    const queue = EncodeQueue.open(farm.client, '{embedfarm}', 'fake', 'bulk');
    const full = bulkJobs('one', 300);
    const short = bulkJobs('two', 300).map((job) => ({ ...job, texts: ['short'] }));
    const nowMs = Date.now();
    // The oldest are those that are served last: their owner has taken all his turns before the other came.
    await queue.enqueue(full, nowMs - 50_000);
    await queue.enqueue(short, nowMs);
    await queue.close();
    const { bulk } = await inspector.waiting();
    expect(bulk.jobs).toBe(600);
    expect(bulk.texts).toBeGreaterThan(0.9 * (300 * 256 + 300));
    expect(bulk.texts).toBeLessThan(1.1 * (300 * 256 + 300));
    expect(bulk.oldestMs).toBeGreaterThanOrEqual(50_000);
    await inspector.sample();
    const second = Math.floor(Date.now() / 1_000);
    const keys = redisKeys();
    const sampled = await eventually(async () => {
      const stored = await farm.client.hget(keys.statsSecond(second), 'oldestMs');
      return stored ?? (await farm.client.hget(keys.statsSecond(second - 1), 'oldestMs')) ?? undefined;
    });
    expect(Number(sampled)).toBeGreaterThanOrEqual(50_000);
  });

  it('is estimated to the text where chunks are full but for the last one', async () => {
    await farm.registerModel();
    const producer = await farm.openProducer();
    const count = 100 * 256 + 7;
    await submitted(producer, manyTexts(count), encodeRequest({ lane: 'bulk' }), {}, {});
    expect((await inspector.waiting()).bulk).toMatchObject({ jobs: 101, texts: count });
  });

  it('clears at the pace of the last seconds, interactive texts before bulk', async () => {
    await farm.registerModel();
    const producer = await farm.openProducer();
    await submitted(producer, manyTexts(200), encodeRequest({ lane: 'bulk' }), {}, {});
    await submitted(producer, manyTexts(100), encodeRequest({ lane: 'interactive' }), {}, {});
    const keys = redisKeys();
    const second = Math.floor(Date.now() / 1_000) - 2;
    await farm.client.hset(keys.statsSecond(second), { texts: 50, tokens: 1_000 });
    const pace = 5;
    const before = await inspector.waiting();
    expect(before.interactive.clearSeconds).toBeCloseTo(100 / pace);
    expect(before.bulk.clearSeconds).toBeCloseTo(300 / pace);
    const minute = Math.floor(Date.now() / 60_000);
    await farm.client.hset(keys.statsMinute(minute), { 'bulk:texts': 10, 'bulk:tokens': 400 });
    const { interactive, bulk } = await inspector.waiting();
    expect([interactive.tokens, bulk.tokens]).toEqual([4_000, 8_000]);
    expect(bulk.clearSeconds).toBeCloseTo(12_000 / (20 * pace));
  });

  it('has no age where it is from after now, as when the clock of Redis was set back', async () => {
    await farm.registerModel();
    const queue = EncodeQueue.open(farm.client, '{embedfarm}', 'fake', 'bulk');
    await queue.enqueue(bulkJobs('early', 2), Date.now() + 3_600_000);
    await queue.close();
    expect((await inspector.waiting()).bulk).toMatchObject({ jobs: 2, oldestMs: 0 });
  });

  it('is calm about what was put there by hand', async () => {
    await farm.registerModel();
    const producer = await farm.openProducer();
    await submitted(producer, manyTexts(3), encodeRequest({ lane: 'interactive' }), {}, {});
    await farm.client.set(`${BULK}:wait`, '<b>');
    await farm.client.zadd(`${BULK}:prioritized`, 1, 'gone', 2, 'text', 3, 'liar', 4, '<script>');
    await farm.client.set(`${BULK}:text`, 'x');
    await farm.client.hset(`${BULK}:liar`, { name: '999999 texts', timestamp: '1e308' });
    await farm.client.hset(`${BULK}:<script>`, { name: '<img>', timestamp: '-5' });
    await farm.client.set(farm.keys.statsMinute(Math.floor(Date.now() / 60_000)), 'x');
    await farm.client.set(farm.keys.statsSecond(Math.floor(Date.now() / 1_000) - 1), 'x');
    const { interactive, bulk } = await inspector.waiting();
    expect(interactive).toMatchObject({ jobs: 1, texts: 3 });
    expect(bulk).toEqual({ jobs: 4, texts: 259, tokens: 0, oldestMs: undefined, clearSeconds: undefined });
    await inspector.sample();
    for (const { oldestMs } of await inspector.series(2)) expect(oldestMs ?? 0).toBeLessThan(10_000);
    await farm.client.unlink(farm.keys.models);
    await farm.client.set(farm.keys.models, 'x');
    expect(await inspector.waiting()).toEqual({ interactive: NOTHING, bulk: NOTHING });
  });
});
