import { FARM_ERROR_CODES } from '@embedfarm/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleField } from '../stats/failure-sample.ts';
import { TestFarm } from '../testing/test-farm.ts';
import { Inspector } from './inspector.ts';
import { MinuteReader } from './minute-reader.ts';

const SAMPLE = { code: 'internal', model: 'fake', message: 'm', text: 't', requestId: '0-a-1' } as const;

describe('the last minutes', () => {
  let farm: TestFarm;
  let inspector: Inspector;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    inspector = await Inspector.open({ redis: farm.redis.url });
    return () => inspector.close();
  });

  const minuteNow = (): number => Math.floor(Date.now() / 60_000);

  it('come oldest first, one each, also where nothing was', async () => {
    const minutes = await inspector.minutes(60);
    expect(minutes).toHaveLength(60);
    const [first] = minutes;
    for (const [index, { minute }] of minutes.entries()) expect(minute).toBe((first?.minute ?? 0) + index);
    expect(Math.abs((minutes.at(-1)?.minute ?? 0) - minuteNow())).toBeLessThanOrEqual(1);
    expect(minutes[0]).toMatchObject({
      lanes: { bulk: { texts: 0, latencyMs: [] } },
      failures: {},
      clients: 0,
    });
    expect(await inspector.minutes(Number.NaN)).toHaveLength(1);
  });

  it('are read once where they are over, and the last two each time', async () => {
    const last = minuteNow();
    const write = async (texts: number): Promise<void> => {
      for (let ago = 0; ago < 10; ago += 1) {
        await farm.client.hset(farm.keys.statsMinute(last - ago), 'bulk:texts', texts);
      }
    };
    await write(1);
    await inspector.minutes(10);
    await write(2);
    const texts = (await inspector.minutes(10)).map(({ lanes }) => lanes.bulk.texts);
    // A minute may have begun meanwhile.
    expect(texts.slice(1, 7)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(texts.slice(8, 9)).toEqual([2]);
  });

  it('keep the most clients of a second', async () => {
    await farm.client.zadd(farm.keys.clients, Date.now(), 'a', Date.now(), 'b');
    await inspector.sample();
    const clients = (await inspector.minutes(2)).map((minute) => minute.clients);
    expect(Math.max(...clients)).toBe(2);
  });

  it('are zero where what was put there by hand is none', async () => {
    const minute = minuteNow();
    await farm.client.set(farm.keys.statsMinute(minute - 3), '<b>');
    await farm.client.hset(farm.keys.statsMinute(minute - 2), {
      'interactive:texts': '1e308',
      'interactive:tokens': 'NaN',
      'interactive:queueUs': '-5',
      'interactive:ms:3': '<img src=x>',
      'interactive:ms:999': '4',
      'failed:internal:<b>': '4',
      'failed:nonsense:fake': '4',
      'failed:internal:fake': '12345678901234567890',
      'failed:__proto__:fake': '1',
      clients: '0x10',
      fill: '1',
    });
    const minutes = await inspector.minutes(5);
    const blank = { ...minutes[0], minute: 0 };
    for (const one of minutes) expect({ ...one, minute: 0 }).toEqual(blank);
    expect(JSON.stringify(minutes)).not.toMatch(/NaN|null|<|Infinity/);
  });

  it('are read again when the clock of Redis was an hour ahead, and is set back', async () => {
    const minute = minuteNow();
    let nowMs = Date.now() + 3_600_000;
    const reader = new MinuteReader(farm.client, farm.keys, async () => nowMs);
    // What is an hour ahead passes for over, and for empty.
    await reader.read(60);
    await farm.client.hset(farm.keys.statsMinute(minute + 1), 'bulk:texts', 7);
    nowMs -= 3_600_000;
    await reader.read(60);
    nowMs += 5 * 60_000;
    const { minutes } = await reader.read(60);
    expect(minutes.find(({ stats }) => stats.minute === minute + 1)?.stats.lanes.bulk.texts).toBe(7);
  });

  it('tell why texts failed, by reason and model, with the last of them', async () => {
    const minute = minuteNow();
    const nowMs = Date.now();
    await farm.client.hset(farm.keys.statsMinute(minute), 'failed:internal:fake', 2);
    await farm.client.hset(farm.keys.statsMinute(minute - 30), {
      'failed:internal:fake': 3,
      'failed:device_lost:org/other': 4,
    });
    // Longer ago than an hour.
    await farm.client.hset(farm.keys.statsMinute(minute - 70), 'failed:no_worker:fake', 9);
    const samples = [
      { ...SAMPLE, atMs: nowMs - 1_000 },
      { ...SAMPLE, code: 'device_lost', model: 'org/other', atMs: nowMs - 30 * 60_000 },
    ] as const;
    for (const sample of samples) {
      await farm.client.hset(farm.keys.failureSamples, sampleField(sample), JSON.stringify(sample));
    }
    const sample = { message: 'm', text: 't', requestId: '0-a-1' };
    expect(await inspector.failures()).toEqual([
      { code: 'internal', model: 'fake', texts: 5, lastAtMs: nowMs - 1_000, sample },
      { code: 'device_lost', model: 'org/other', texts: 4, lastAtMs: nowMs - 30 * 60_000, sample },
    ]);
  });

  it('tell of failures without a sample that can be read, and of none that is older than an hour', async () => {
    const minute = minuteNow();
    const nowMs = Date.now();
    await farm.client.hset(farm.keys.statsMinute(minute - 1), {
      'failed:internal:fake': 1,
      'failed:device_lost:fake': 2,
      'failed:out_of_memory:fake': 3,
    });
    const stale = { ...SAMPLE, code: 'out_of_memory', atMs: nowMs - 3_700_000 };
    await farm.client.hset(farm.keys.failureSamples, {
      'internal fake': '<script>',
      // Another's.
      'device_lost fake': JSON.stringify({ ...SAMPLE, atMs: nowMs }),
      'out_of_memory fake': JSON.stringify(stale),
    });
    const failures = await inspector.failures();
    expect(failures.map(({ code, texts, sample }) => [code, texts, sample.text])).toEqual([
      ['device_lost', 2, ''],
      ['internal', 1, ''],
    ]);
    for (const { lastAtMs, code } of failures) {
      expect(lastAtMs).toBeLessThanOrEqual(Date.now());
      expect(Object.hasOwn(FARM_ERROR_CODES, code)).toBe(true);
    }
  });

  it('have no curves where what stands in their place is none', async () => {
    await farm.client.set(farm.keys.benchCurves, 'x');
    expect(await inspector.curves()).toEqual([]);
  });
});
