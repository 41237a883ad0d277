import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import os from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { announceClient, CLIENT_TTL_MS } from '../redis/presence.ts';
import { encodeRequest, manyTexts, TestFarm } from '../testing/test-farm.ts';
import { Inspector } from './inspector.ts';

const MANY = 10_000;

describe('the clients of a farm', () => {
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

  const minuteNow = (): number => Math.floor(Date.now() / 60_000);

  it('are told with their names, the busiest first, until they leave', async () => {
    const name = '<b>&"Büro</b>\u0000\ud800';
    await farm.openWorker();
    const quiet = await farm.openProducer({ name });
    const busy = await farm.openProducer();
    await busy.encode(manyTexts(30), encodeRequest(), {});
    const rows = await eventually(async () => {
      const found = await inspector.clients(10);
      return found[0] && found[0].textsPerSecond > 0 ? found : undefined;
    });
    const told = { host: os.hostname(), pid: process.pid, inFlightTexts: 0 };
    expect(rows).toMatchObject([
      { ...told, clientId: busy.clientId, name: '', share: 1 },
      { ...told, clientId: quiet.clientId, name, textsPerSecond: 0, share: 0 },
    ]);
    for (const { lastSeenMs } of rows) expect(lastSeenMs).toBeLessThan(CLIENT_TTL_MS);
    await busy.close();
    expect((await inspector.clients(10)).map(({ clientId }) => clientId)).toEqual([quiet.clientId]);
    await quiet.close();
    expect(await inspector.clients(10)).toEqual([]);
    expect(await farm.client.exists(farm.keys.clientReports)).toBe(0);
  });

  it('tell what they have in flight', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await farm.openWorker(encoder);
    const producer = await farm.openProducer();
    const call = producer.encode(manyTexts(7), encodeRequest(), {});
    await encoder.arrived(1);
    const told = await eventually(
      async () => (await inspector.clients(1)).find(({ inFlightTexts }) => inFlightTexts > 0),
      { timeoutMs: 10_000 },
    );
    expect(told).toMatchObject({ clientId: producer.clientId, inFlightTexts: 7 });
    encoder.release();
    await call;
  });

  it('go with what they said of themselves when one that lives is heard of', async () => {
    await farm.client.zadd(farm.keys.clients, Date.now() - CLIENT_TTL_MS - 1, 'dead');
    await farm.client.zadd(farm.keys.clients, Date.now(), 'alive');
    await farm.client.hset(farm.keys.clientReports, { dead: '{}', alive: '{}' });
    await announceClient(farm.client, farm.keys, 'another');
    expect(await farm.client.hkeys(farm.keys.clientReports)).toEqual(['alive']);
    expect(await farm.client.zrange(farm.keys.clients, '0', '-1')).toEqual(['alive', 'another']);
  });

  it('have the rate of the minute before while this one is young', async () => {
    const minute = minuteNow();
    for (const at of [minute - 1, minute, minute + 1]) {
      await farm.client.zadd(farm.keys.statsClients(at), 6_000, 'steady');
      await farm.client.hset(farm.keys.statsMinute(at), { 'interactive:texts': 8_000, 'bulk:texts': 4_000 });
    }
    await farm.client.zadd(farm.keys.clients, Date.now(), 'steady');
    const [row] = await inspector.clients(1);
    expect(row?.share).toBe(0.5);
    // 100 over the whole minute; up to 600 over the first ten seconds of one.
    expect(row?.textsPerSecond).toBeGreaterThanOrEqual(100);
    expect(row?.textsPerSecond).toBeLessThanOrEqual(600);
  });

  it(`are told as fast where ${MANY} live`, async () => {
    const minute = minuteNow();
    const ids = Array.from({ length: MANY }, (_, index) => `client-${index}`);
    const fill = farm.client.pipeline();
    for (const [index, id] of ids.entries()) {
      fill.zadd(farm.keys.clients, Date.now(), id);
      const report = { name: `name ${index}`, host: 'host', pid: index, inFlightTexts: index };
      fill.hset(farm.keys.clientReports, id, JSON.stringify(report));
      // A worker keeps the busiest thousand.
      if (index < 1_000) fill.zadd(farm.keys.statsClients(minute), index + 1, id);
    }
    fill.hset(farm.keys.statsMinute(minute), 'interactive:texts', 500_500);
    await fill.exec();
    const rows = await inspector.clients(200);
    expect(rows).toHaveLength(200);
    expect(rows[0]).toMatchObject({ clientId: 'client-999', name: 'name 999', pid: 999 });
    const rates = rows.map(({ textsPerSecond }) => textsPerSecond);
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
    expect((await inspector.status()).clients).toBe(MANY);
    const spans: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const startedMs = performance.now();
      await inspector.clients(200);
      spans.push(performance.now() - startedMs);
    }
    const median = spans.toSorted((a, b) => a - b)[10] ?? Infinity;
    console.log(`clients(200) of ${MANY}: ${median.toFixed(1)} ms at the median`);
    // Some ms on a quiet machine.
    expect(median).toBeLessThan(100);
  });

  it('are calm about what was put there by hand', async () => {
    const minute = minuteNow();
    await farm.client.zadd(
      farm.keys.clients,
      Date.now(),
      'a',
      Date.now(),
      'b',
      '+inf',
      'c',
      Date.now(),
      'x'.repeat(999),
    );
    await farm.client.hset(farm.keys.clientReports, {
      a: '<script>',
      b: JSON.stringify({ name: 'n'.repeat(1_000), host: 7, pid: -1, inFlightTexts: 1e308 }),
    });
    await farm.client.zadd(farm.keys.statsClients(minute), '+inf', 'a', -5, 'b', 1e300, 'dead');
    await farm.client.hset(farm.keys.statsMinute(minute), 'interactive:texts', '1e999');
    const blank = {
      name: '',
      host: '',
      pid: 0,
      inFlightTexts: 0,
      textsPerSecond: 0,
      share: 0,
      lastSeenMs: 0,
    };
    const rows = (await inspector.clients(10)).map((row) => ({ ...row, lastSeenMs: 0 }));
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([
        { ...blank, clientId: 'a' },
        { ...blank, clientId: 'b' },
      ]),
    );
    await farm.client.unlink(farm.keys.clientReports, farm.keys.statsClients(minute));
    await farm.client.set(farm.keys.clientReports, 'x');
    await farm.client.set(farm.keys.statsClients(minute), 'x');
    expect(await inspector.clients(10)).toHaveLength(2);
    for (const limit of [0, -1, Number.NaN]) expect(await inspector.clients(limit)).toEqual([]);
    // A client whose report cannot be kept lives on.
    const producer = await farm.openProducer({ name: 'kept out' });
    expect((await inspector.clients(10)).map(({ clientId }) => clientId)).toContain(producer.clientId);
  });
});
