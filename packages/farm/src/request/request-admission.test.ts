import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Producer } from '../producer/producer.ts';
import { readAdmission } from '../redis/admission.ts';
import { syncAdmission } from '../redis/sync-admission.ts';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';

describe('the room of a submitted request', () => {
  let farm: TestFarm;
  let producer: Producer;
  let own: { texts: number; bytes: number };

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    producer = await farm.openProducer();
    own = await held();
  });
  afterEach(() => farm.rest());

  async function held(): Promise<{ texts: number; bytes: number }> {
    const { texts, bytes } = await readAdmission(farm.client, farm.keys);
    return { texts, bytes };
  }

  /** Beside what the clients hold in store. */
  async function heldByRequests(): Promise<{ texts: number; bytes: number }> {
    const { texts, bytes } = await held();
    return { texts: texts - own.texts, bytes: bytes - own.bytes };
  }

  it('is held from the submit on, by its texts until they are done, by its results until they are read', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await farm.openWorker(encoder);
    const id = await submitted(producer, manyTexts(600), encodeRequest(), {}, {});
    expect(await heldByRequests()).toMatchObject({ texts: 600 });
    encoder.release();
    await producer.requests.wait(id, {});
    const stored = await Promise.all(
      [0, 1, 2].map((chunk) => farm.client.strlen(farm.keys.result(`${id}.${chunk}`))),
    );
    const bytes = stored.reduce((total, size) => total + size, 0);
    expect(await heldByRequests()).toEqual({ texts: 0, bytes });
    await producer.requests.result(id, { consume: true }, {});
    expect(await heldByRequests()).toEqual({ texts: 0, bytes: 0 });
  });

  it('is given back when it is cancelled, and when its results expire', async () => {
    await farm.registerModel();
    const cancelled = await submitted(producer, manyTexts(600), encodeRequest(), {}, {});
    await producer.requests.cancel(cancelled);
    expect(await heldByRequests()).toEqual({ texts: 0, bytes: 0 });
    await farm.openWorker();
    const expired = await submitted(producer, ['a'], encodeRequest(), { resultTtlMs: 300 }, {});
    await producer.requests.wait(expired, {});
    expect((await heldByRequests()).bytes).toBeGreaterThan(0);
    await eventually(async () => {
      await syncAdmission(farm.client, farm.keys);
      return (await heldByRequests()).bytes === 0;
    });
  });

  it('is refused to a list as a whole, which leaves nothing behind', async () => {
    await farm.registerModel();
    await producer.limits.set({ texts: 2_000 });
    await submitted(producer, manyTexts(900), encodeRequest(), {}, {});
    const before = await heldByRequests();
    await expect(submitted(producer, manyTexts(500), encodeRequest(), {}, {})).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: expect.any(Number),
    });
    expect(await producer.requests.list({})).toHaveLength(1);
    expect(await heldByRequests()).toEqual(before);
    await expect(submitted(producer, manyTexts(2_001), encodeRequest(), {}, {})).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    const waiting = submitted(producer, manyTexts(500), encodeRequest(), {}, { whenOverloaded: 'wait' });
    await farm.openWorker();
    await producer.requests.wait(await waiting, {});
  });

  it('slows an iterable down: it is read no further than there is room', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await farm.openWorker(encoder);
    await producer.limits.set({ texts: 20_000 });
    let read = 0;
    function* source() {
      for (; read < 60_000; read += 1) yield 'short';
    }
    const { requestId, filled } = await producer.requests.submit(source(), encodeRequest(), {}, {});
    await encoder.arrived(2);
    await eventually(async () => (await heldByRequests()).texts >= 16_384);
    const stopped = read;
    expect(stopped).toBeLessThan(40_000);
    encoder.release();
    await filled;
    expect(await producer.requests.wait(requestId, {})).toMatchObject({ textsDone: 60_000 });
  });
});
