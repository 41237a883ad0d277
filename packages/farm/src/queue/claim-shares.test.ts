import { eventually } from '@embedfarm/testkit/eventually';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';

describe('bulk jobs that are taken away', () => {
  let farm: TestFarm;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    await farm.registerModel();
  });
  afterEach(() => farm.rest());

  it('are given back to their tenant once, by however many who cancel', async () => {
    const [one, other] = [await farm.openProducer(), await farm.openProducer()];
    const tagOf = async (tenant: string): Promise<number> =>
      Number(await farm.client.zscore(farm.keys.fairShareTenants('fake'), tenant));
    await submitted(one, manyTexts(256), encodeRequest({ tenant: 'served-first' }), {}, {});
    await submitted(one, manyTexts(2_560), encodeRequest({ tenant: 't' }), {}, {});
    const before = await tagOf('t');
    const id = await submitted(one, manyTexts(1_280), encodeRequest({ tenant: 't' }), {}, {});
    expect(await tagOf('t')).toBeCloseTo(before + 5);
    await Promise.all([one.requests.cancel(id), other.requests.cancel(id), other.requests.cancel(id)]);
    expect(await tagOf('t')).toBeCloseTo(before);
  });

  it('are all of a call that is aborted, those on their way too', async () => {
    const producer = await farm.openProducer();
    for (let round = 0; round < 40; round += 1) {
      const abort = new AbortController();
      const call = producer.encode(['a'], encodeRequest({ lane: 'bulk' }), { signal: abort.signal });
      const outcome = call.catch((error: unknown) => error);
      // Its job is sent at the end of this turn.
      await new Promise((resolve) => setImmediate(resolve));
      abort.abort();
      expect(await outcome).toMatchObject({ code: 'cancelled' });
    }
    await eventually(async () => (await farm.client.zcard('{embedfarm}:fake-bulk:prioritized')) === 0);
  });
});
