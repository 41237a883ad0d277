import { failedBlock, type Lane } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import { seededRandom } from '@embedfarm/testkit/seeded-random';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from '../inspect/inspector.ts';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import type { FinishedBatch } from '../worker/encoder.ts';
import { failureSample, parseFailureSample } from './failure-sample.ts';
import type { MinuteStats } from './minute-stats.ts';
import { WorkerStats } from './worker-stats.ts';
import { WorkerSums, type SettledChunk } from './worker-sums.ts';
import { writeSums } from './write-sums.ts';

/** Tells batches as an engine does. */
class BatchingEncoder extends FakeEncoder {
  readonly told = new Set<(batch: FinishedBatch) => void>();

  onBatch(listener: (batch: FinishedBatch) => void): () => void {
    this.told.add(listener);
    return () => this.told.delete(listener);
  }
}

/** A chunk of texts of these many tokens. */
function chunkOf(tokens: readonly number[], given: Partial<SettledChunk> = {}): SettledChunk {
  return {
    job: { requestId: '0-a-1', clientId: 'client', texts: tokens.map(String) },
    lane: 'interactive',
    model: 'fake',
    status: 'done',
    block: { ...failedBlock(tokens.length, 'internal', ''), failures: [], tokens: Uint32Array.from(tokens) },
    storeMs: 1,
    totalMs: 10,
    ...given,
  };
}

describe('what workers and clients tell', () => {
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

  /** Of this minute and the one before it, as one may begin during a test. */
  async function lastMinutes(): Promise<MinuteStats[]> {
    return (await inspector.minutes(2)).filter(({ lanes, batches, failures }) => {
      const told = [lanes.interactive.chunks, lanes.bulk.chunks, batches.count, ...Object.values(failures)];
      return told.some((count) => count > 0);
    });
  }

  const sumOf = (minutes: readonly MinuteStats[], read: (minute: MinuteStats) => number): number =>
    minutes.reduce((sum, minute) => sum + read(minute), 0);

  const stats = (): WorkerStats =>
    new WorkerStats({
      redis: farm.client,
      keys: farm.keys,
      encoder: {},
      nowMs: () => Date.now(),
      onFault: () => undefined,
    });

  it('is what was done, by lane, when they have left', async () => {
    const encoder = new BatchingEncoder();
    const worker = await farm.openWorker(encoder);
    const producer = await farm.openProducer();
    const other = await farm.openProducer();
    for (const text of ['one', 'four']) await producer.encode([text], encodeRequest(), {});
    await submitted(other, manyTexts(300), encodeRequest({ lane: 'bulk' }), {}, {}).then((id) =>
      other.requests.wait(id, {}),
    );
    await expect(producer.encode(['a', 'bad text'], encodeRequest(), {})).rejects.toMatchObject({
      code: 'texts_failed',
    });
    for (const told of encoder.told) told({ tokens: 30, slotTokens: 40, tokenBudget: 100 });
    await worker.close();
    await producer.close();
    const minutes = await lastMinutes();
    const sum = (read: (minute: MinuteStats) => number): number => sumOf(minutes, read);
    const ofLane = (lane: Lane) => ({
      texts: sum(({ lanes }) => lanes[lane].texts),
      tokens: sum(({ lanes }) => lanes[lane].tokens),
      failed: sum(({ lanes }) => lanes[lane].failed),
      chunks: sum(({ lanes }) => lanes[lane].chunks),
      replies: sum(({ lanes }) => lanes[lane].replies),
      latencies: sum(({ lanes }) => lanes[lane].latencyMs.reduce((all, { count }) => all + count, 0)),
      deviceMs: sum(({ lanes }) => lanes[lane].stages.deviceMs),
    });
    const tokens = manyTexts(300).reduce((all, text) => all + text.length + 2, 0);
    expect(ofLane('interactive')).toEqual({
      texts: 3,
      // A FakeEncoder counts a text's characters, and two.
      tokens: 5 + 6 + 3 + 10,
      failed: 1,
      chunks: 3,
      replies: 3,
      latencies: 3,
      deviceMs: 3,
    });
    expect(ofLane('bulk')).toEqual({
      texts: 300,
      tokens,
      failed: 0,
      chunks: 2,
      // Nobody waits at a reply stream for what was submitted.
      replies: 0,
      latencies: 2,
      deviceMs: 2,
    });
    expect(sum(({ failures }) => failures.internal ?? 0)).toBe(1);
    expect(sum(({ lanes }) => lanes.interactive.replyMs)).toBeGreaterThanOrEqual(0);
    expect(sum(({ lanes }) => lanes.interactive.replyMs)).toBeLessThan(3_000);
    expect(sum(({ lanes }) => lanes.interactive.stages.storeMs)).toBeGreaterThan(0);
    expect(minutes.flatMap(({ batches }) => (batches.count > 0 ? [batches] : []))).toEqual([
      { count: 1, tokens: 30, slotTokens: 40, budgetTokens: 100, fillPercent: [{ upTo: 30, count: 1 }] },
    ]);
    expect(sum(({ lengths }) => lengths.tokens.reduce((all, { count }) => all + count, 0))).toBe(304);
    expect(encoder.told.size).toBe(0);
  });

  it('counts look-ups where they are answered, in the client and in the worker', async () => {
    await farm.openWorker();
    const producer = await farm.openProducer();
    await producer.encode(['a', 'b'], encodeRequest({ cache: true }), {});
    await producer.encode(['a', 'b', 'c'], encodeRequest({ cache: true }), {});
    await farm.rest();
    const minutes = await lastMinutes();
    expect(sumOf(minutes, ({ cache }) => cache.lookups)).toBe(5);
    expect(sumOf(minutes, ({ cache }) => cache.hits)).toBe(2);
  });

  it('counts a chunk once, and none that was cancelled or that nobody can ask for', async () => {
    const collector = stats();
    const { job, lane, model, block } = chunkOf([5]);
    for (const [settlement, status] of [
      ['settled', 'done'],
      ['again', 'done'],
      ['gone', 'done'],
      ['settled', 'cancelled'],
    ] as const) {
      await collector.settle(async () => settlement, { job, lane, model, status, block });
    }
    await collector.close();
    expect(sumOf(await lastMinutes(), ({ lanes }) => lanes.interactive.chunks)).toBe(1);
  });

  it('counts the texts of a job that is none as failed', async () => {
    const producer = await farm.openProducer();
    await farm.registerModel();
    const id = await submitted(producer, manyTexts(3), encodeRequest({ lane: 'interactive' }), {}, {});
    await farm.client.hset(`{embedfarm}:fake-interactive:${id}.0`, 'data', '{}');
    await farm.openWorker();
    await producer.requests.wait(id, {});
    await farm.rest();
    expect(sumOf(await lastMinutes(), ({ failures }) => failures.invalid_argument ?? 0)).toBe(3);
  });

  it('is told within about a second, with one sample of each kind of failure', async () => {
    await farm.openWorker();
    const producer = await farm.openProducer();
    await producer.encode(['bad text'], encodeRequest(), {}).catch(() => undefined);
    const [stored] = await eventually(async () => {
      const samples = await farm.client.hvals(farm.keys.failureSamples);
      return samples.length > 0 ? samples : undefined;
    });
    expect(parseFailureSample(stored)).toMatchObject({
      code: 'internal',
      model: 'fake',
      message: 'told to fail',
      text: 'bad text',
      requestId: expect.stringContaining(producer.clientId),
    });
    const ttls = await Promise.all(
      (await farm.client.keys('{embedfarm}:stats-*')).map((key) => farm.client.ttl(key)),
    );
    expect(Math.min(...ttls)).toBeGreaterThan(7_000);
    expect(await farm.client.ttl(farm.keys.failureSamples)).toBeGreaterThan(3_500);
  });

  it('waits for a Redis that is away, and is told when it is back', async () => {
    const collector = stats();
    await farm.redis.kill();
    await eventually(() => farm.client.status !== 'ready');
    const { job, lane, model, block } = chunkOf([5]);
    for (let count = 0; count < 3; count += 1) {
      await collector.settle(async () => 'settled', { job, lane, model, status: 'done', block });
      await collector.flush();
    }
    await farm.redis.restart();
    await eventually(() => farm.client.status === 'ready');
    await collector.close();
    expect(sumOf(await lastMinutes(), ({ lanes }) => lanes.interactive.texts)).toBe(3);
  });

  it('is told as a whole or not at all where Redis has no memory, and later then', async () => {
    const collector = stats();
    const { job, lane, model, block } = chunkOf([5]);
    await collector.settle(async () => 'settled', { job, lane, model, status: 'done', block });
    await farm.client.config('SET', 'maxmemory', '1mb');
    try {
      await collector.flush();
      expect(await farm.client.keys('*')).toEqual([]);
      await collector.settle(async () => 'settled', { job, lane, model, status: 'done', block });
    } finally {
      await farm.client.config('SET', 'maxmemory', '0');
    }
    await collector.close();
    expect(sumOf(await lastMinutes(), ({ lanes }) => lanes.interactive.texts)).toBe(2);
  });

  it('stops nothing and is stopped by nothing that was put in its place by hand', async () => {
    const minute = Math.floor(Date.now() / 60_000);
    for (const at of [minute, minute + 1]) {
      await farm.client.hset(farm.keys.statsMinute(at), 'interactive:texts', '<b>', 'interactive:tokens', 7);
      await farm.client.set(farm.keys.statsClients(at), 'x');
    }
    await farm.client.set(farm.keys.failureSamples, 'x');
    const collector = stats();
    const failed = { status: 'failed', block: failedBlock(2, 'internal', 'm') } as const;
    const { job, lane, model, block } = chunkOf([5]);
    await collector.settle(async () => 'settled', { job, lane, model, status: 'done', block });
    await collector.settle(async () => 'settled', { job, lane, model, ...failed });
    await collector.close();
    const minutes = await lastMinutes();
    expect(minutes).toMatchObject([
      { lanes: { interactive: { texts: 0, tokens: 12, failed: 2, chunks: 1 } } },
    ]);
    expect(await inspector.failures()).toMatchObject([{ code: 'internal', texts: 2, sample: { text: '' } }]);
    expect(await inspector.clients(10)).toEqual([]);
  });

  it('keeps the hash of a busy minute small, and the busiest clients of it', async () => {
    const random = seededRandom(1);
    const sums = new WorkerSums();
    for (let index = 0; index < 20_000; index += 1) {
      // Latencies over a factor of 100 and lengths over one of 200, in both lanes.
      const lane = index % 2 === 0 ? 'interactive' : 'bulk';
      const totalMs = (lane === 'bulk' ? 200 : 4) * 100 ** random();
      const job = { requestId: '0-a-1', clientId: `client-${index % 2_000}`, texts: ['t'] };
      sums.addChunk(chunkOf([Math.ceil(3 * 200 ** random())], { lane, totalMs, job }), 0);
      sums.addBatch({ tokens: 1 + 99 * random(), slotTokens: 100, tokenBudget: 100 });
    }
    sums.addLookups({ lookups: 2, hits: 1 });
    for (const code of ['internal', 'sequence_too_long', 'device_lost'] as const) {
      sums.addChunk(chunkOf([5], { status: 'failed', block: failedBlock(1, code, 'm') }), 0);
    }
    sums.addChunk(chunkOf([5, 5], { job: { requestId: 'a', clientId: 'busiest', texts: ['', ''] } }), 0);
    for (let at = 0; at < 20; at += 1) await writeSums(farm.client, farm.keys, sums);
    const [minute = ''] = await farm.client.keys('{embedfarm}:stats-minute:*');
    const fields = await farm.client.hlen(minute);
    console.log(`a busy minute: ${fields} fields, ${await farm.client.memory('USAGE', minute)} bytes`);
    expect(fields).toBeGreaterThan(90);
    expect(fields).toBeLessThanOrEqual(128);
    expect(await farm.client.object('ENCODING', minute)).toBe('listpack');
    const [clients = ''] = await farm.client.keys('{embedfarm}:stats-clients:*');
    expect(await farm.client.zcard(clients)).toBe(1_000);
  });

  it('goes on from where it was when it is put back', () => {
    const [older, newer] = [new WorkerSums(), new WorkerSums()];
    older.addChunk(chunkOf([5], { block: failedBlock(1, 'internal', 'older'), status: 'failed' }), 1);
    newer.addChunk(chunkOf([5], { block: failedBlock(1, 'internal', 'newer'), status: 'failed' }), 2);
    newer.addChunk(chunkOf([5]), 2);
    newer.putBack(older);
    expect(newer.minute.toArguments()).toEqual(expect.arrayContaining(['failed:internal:fake', 2]));
    expect([...newer.samples.values()]).toEqual([
      failureSample({
        code: 'internal',
        model: 'fake',
        message: 'newer',
        text: '5',
        requestId: '0-a-1',
        atMs: 2,
      }),
    ]);
  });
});
