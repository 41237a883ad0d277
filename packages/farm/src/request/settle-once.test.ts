import { failedBlock, type EncodeJob } from '@embedfarm/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Producer } from '../producer/producer.ts';
import { announceClient } from '../redis/presence.ts';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import { finishChunk } from '../worker/finish-chunk.ts';
import { buryRequest } from './cancel-request.ts';
import { abandonRequest, openRequest, planChunks, sealRequest } from './fill-request.ts';
import { readRequest } from './request-record.ts';
import { tendRequests } from './tend-requests.ts';

describe('a submitted request', () => {
  let farm: TestFarm;
  let producer: Producer;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    producer = await farm.openProducer();
  });
  afterEach(() => farm.rest());

  const chunkOf = (requestId: string, chunkIndex: number, texts: number): EncodeJob => ({
    version: 1,
    requestId,
    chunkIndex,
    clientId: 'somebody',
    model: 'fake',
    fingerprint: 'fake-1',
    texts: manyTexts(texts),
    options: { dtype: 'float32', truncate: 'end' },
    tracked: true,
    awaited: false,
    deadlineMs: 0,
    resultTtlMs: 60_000,
  });

  /** Of a producer that is not heard of. */
  async function open(requestId: string): Promise<void> {
    await openRequest(farm.client, farm.keys, {
      requestId,
      clientId: 'somebody',
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
  }

  async function plan(requestId: string, chunks: number, nextStarts: number[]): Promise<void> {
    const [texts = 0] = nextStarts;
    await planChunks(farm.client, farm.keys, requestId, { chunks, texts, nextStarts });
  }

  async function fail(requestId: string, chunk: number): Promise<void> {
    const block = failedBlock(10, 'internal', 'told to');
    await finishChunk(farm.client, farm.keys, chunkOf(requestId, chunk, 10), 'w', {
      status: 'failed',
      block,
    });
  }

  const read = (id: string) => readRequest(farm.client, farm.keys, id, Date.now());

  it('that is cancelled while chunks of it are on their way counts those that were done before, and ends with the last', async () => {
    await open('0-a-1');
    await plan('0-a-1', 0, [0, 10]);
    await plan('0-a-1', 1, [10, 20, 30]);
    // All three jobs are added, and nobody has noted the last two; the second is done, the first on a device.
    await farm.client.hset(`${farm.keys.jobPrefix('fake', 'bulk')}0-a-1.0`, 'name', '10 texts');
    await fail('0-a-1', 1);
    await buryRequest(farm.client, farm.keys, '0-a-1');
    expect(await read('0-a-1')).toMatchObject({ state: 'cancelled', texts: 20, textsFailed: 10 });
    expect((await read('0-a-1')).endedAtMs).toBeUndefined();
    await fail('0-a-1', 0);
    await fail('0-a-1', 2);
    expect(await read('0-a-1')).toMatchObject({
      texts: 20,
      textsFailed: 20,
      chunksSettled: 2,
      endedAtMs: expect.any(Number) as number,
    });
    await farm.client.del(`${farm.keys.jobPrefix('fake', 'bulk')}0-a-1.0`);
  });

  it('whose seal is asked for again, as its answer was lost, is as sealed as the first time', async () => {
    await open('0-a-2');
    await plan('0-a-2', 0, [0, 10]);
    const size = { chunks: 1, texts: 10 };
    expect(await sealRequest(farm.client, farm.keys, '0-a-2', size)).toBe('filling');
    expect(await sealRequest(farm.client, farm.keys, '0-a-2', size)).toBe('filling');
    await buryRequest(farm.client, farm.keys, '0-a-2');
    expect(await sealRequest(farm.client, farm.keys, '0-a-2', size)).toBe('cancelled');
  });

  it('that was spoilt by hand does not keep others from being looked after', async () => {
    for (const id of ['0-a-3', '0-a-4']) {
      await open(id);
      await plan(id, 0, [0, 10]);
      await plan(id, 1, [10]);
      await farm.client.hset(farm.keys.request(id), 'silentAtMs', Date.now() - 5_000);
    }
    await farm.client.set(farm.keys.requestStarts('0-a-3'), 'x');
    await farm.client.del(farm.keys.requestBits('0-a-3'));
    await farm.client.hset(farm.keys.requestBits('0-a-3'), 'no', 'bitmap');
    await farm.client.hset(farm.keys.request('0-a-3'), 'chunksPlanned', 2);
    const tending = tendRequests({
      redis: farm.client,
      keys: farm.keys,
      nowMs: () => Date.now(),
      settleLost: () => Promise.resolve(),
    });
    await expect(tending).rejects.toThrow('1 requests cannot be looked after');
    expect((await read('0-a-3')).state).toBe('filling');
    expect((await read('0-a-4')).state).toBe('queued');
    await farm.client.del(farm.keys.requestBits('0-a-3'));
  });

  it('whose producer comes back after Redis was away is not taken from it', async () => {
    await open('0-a-5');
    const request = { requestId: '0-a-5', model: 'fake', lane: 'bulk' } as const;
    const abandon = () =>
      abandonRequest(farm.client, farm.keys, request, { fault: 'silent', onlyOfTheDead: true });
    expect(await abandon()).toBe(false);
    await announceClient(farm.client, farm.keys, 'somebody');
    expect(await abandon()).toBe(false);
    await farm.client.zrem(farm.keys.clients, 'somebody');
    expect(await abandon()).toBe(false);
    await farm.client.hincrby(farm.keys.request('0-a-5'), 'silentAtMs', -2_000);
    expect(await abandon()).toBe(true);
    expect((await read('0-a-5')).state).toBe('incomplete');
  });

  it('whose results go while they are looked for says so, and gives no empty result', async () => {
    await farm.openWorker();
    const id = await submitted(producer, manyTexts(300), encodeRequest(), {}, {});
    await producer.requests.wait(id, {});
    await farm.client.del(farm.keys.requestBits(id));
    await expect(producer.requests.result(id, {}, {})).rejects.toMatchObject({ code: 'result_expired' });
  });
});
