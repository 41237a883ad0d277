import { encodeRequestSchema, FarmError, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Inspector } from './inspect/inspector.ts';
import { Producer } from './producer/producer.ts';
import { setFarmLimits } from './redis/farm-limits.ts';
import { syncAdmission } from './redis/sync-admission.ts';
import { FarmWorker } from './worker/farm-worker.ts';

checkOpenHandles();

/** One in so many calls goes each of these ways. */
const SEED = 20_251_124;
const CALLS = 200;

/** A linear congruential generator (Numerical Recipes): the same calls in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('what the farm believes to hold', () => {
  let redis: TestRedis;
  let client: Redis;

  beforeAll(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });
  afterEach(async () => {
    await client.flushall();
  });

  async function held(): Promise<{ texts: number; bytes: number }> {
    const inspector = await Inspector.open({ redis: redis.url });
    const { admission } = await inspector.status();
    await inspector.close();
    return { texts: admission.texts, bytes: admission.bytes };
  }

  it(`is nothing after ${CALLS} random calls that succeed, fail, are aborted, late or refused`, async () => {
    // So little that nobody keeps any to spare.
    await setFarmLimits(client, redisKeys(), { texts: 1_000 });
    const encoder = new FakeEncoder();
    const worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
    const producers = await Promise.all([1, 2, 3].map(() => Producer.open({ redis: redis.url })));
    const pick = random(SEED);
    const ends = new Map<string, number>();
    const calls: Promise<void>[] = [];
    for (let call = 0; call < CALLS; call += 1) {
      if (pick(10) === 0) encoder.hold();
      if (pick(5) === 0) encoder.release();
      if (pick(12) === 0) encoder.failNext(new FarmError('invalid_argument', 'told to fail'));
      const count = pick(8) === 0 ? 257 + pick(900) : 1 + pick(60);
      const texts = Array.from({ length: count }, () =>
        pick(40) === 0 ? 'bad text' : `text ${pick(9_999)}`,
      );
      const abort = new AbortController();
      const encoding = producers[pick(3)]?.encode(
        texts,
        encodeRequestSchema.parse({ dimensions: 1 + pick(4) }),
        {
          signal: abort.signal,
          ...(pick(6) === 0 ? { timeoutMs: 1 + pick(60) } : {}),
          whenOverloaded: pick(2) === 0 ? 'wait' : 'reject',
        },
      );
      if (pick(6) === 0) setTimeout(() => abort.abort(), pick(40));
      calls.push(
        Promise.resolve(encoding).then(
          () => count1(ends, 'done'),
          (thrown: FarmError) => count1(ends, thrown.code),
        ),
      );
      if (pick(3) === 0) await new Promise((resolve) => setTimeout(resolve, pick(20)));
    }
    encoder.release();
    await Promise.all(calls);
    // The run has shown every way out.
    expect([...ends.keys()]).toEqual(
      expect.arrayContaining(['done', 'cancelled', 'overloaded', 'texts_failed', 'invalid_argument']),
    );
    await eventually(async () => (await held()).texts === 0);
    await Promise.all(producers.map((producer) => producer.close()));
    await worker.close();
    // Nothing had to be put right.
    expect(await held()).toEqual({ texts: 0, bytes: 0 });
  });

  it('is nothing once a client that was killed has been missed', async () => {
    const worker = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), { redis: redis.url });
    await worker.close();
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { Producer } from '@embedfarm/farm/producer';
        import { encodeRequestSchema } from '@embedfarm/contract';
        const producer = await Producer.open({ redis: ${JSON.stringify(redis.url)} });
        const texts = Array.from({ length: 5000 }, (_, index) => 'text ' + index);
        producer.encode(texts, encodeRequestSchema.parse({}), {});`,
      ],
      { cwd: import.meta.dirname, stdio: 'inherit' },
    );
    await eventually(async () => (await held()).texts >= 5_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await syncAdmission(client, redisKeys());
    expect((await held()).texts).toBeGreaterThanOrEqual(5_000);
    // 16 s later, as Redis sees it.
    const [id = ''] = await client.zrevrange(redisKeys().clients, 0, -1);
    await client.zincrby(redisKeys().clients, -16_000, id);
    await syncAdmission(client, redisKeys());
    expect(await held()).toEqual({ texts: 0, bytes: 0 });
  });
});

function count1(ends: Map<string, number>, end: string): void {
  ends.set(end, (ends.get(end) ?? 0) + 1);
}
