import { encodeRequestSchema, redisKeys, type EncodeRequest } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EncodedTexts } from './producer/encoded-texts.ts';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

checkOpenHandles();

const cached = (options: object = {}): EncodeRequest =>
  encodeRequestSchema.parse({ cache: true, ...options });
const keys = redisKeys();
const TEXTS = Array.from({ length: 50 }, (_, index) => `text ${index}`);
/** One job at a time, so that a second one is another worker's. */
const ONE_JOB = {
  interactiveWorkers: 1,
  interactiveConcurrency: 1,
  lockDurationMs: 1_000,
  stalledIntervalMs: 300,
};

describe('the cache of several workers and clients', () => {
  let redis: TestRedis;
  let client: Redis;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url, { retryStrategy: () => 50 });
    client.on('error', () => undefined);
  });
  afterEach(async () => {
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
    client.disconnect();
    await redis.close();
  });

  async function openWorker(encoder: FakeEncoder): Promise<FarmWorker> {
    const worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url, ...ONE_JOB });
    open.push(worker);
    return worker;
  }

  async function openProducer(): Promise<Producer> {
    const producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    return producer;
  }

  const bothPulled = () =>
    eventually(async () => (await client.llen('{embedfarm}:fake-interactive:active')) === 2);

  it('encodes each of fifty texts once that two clients ask for at once', async () => {
    const encoders = [new FakeEncoder(), new FakeEncoder()];
    for (const encoder of encoders) {
      encoder.hold();
      await openWorker(encoder);
    }
    const producers = [await openProducer(), await openProducer()];
    const calls = producers.map((producer) => producer.encode(TEXTS, cached(), {}));
    await bothPulled();
    for (const encoder of encoders) encoder.release();
    for (const call of calls) expect(rowsOf(await call)).toEqual(TEXTS.map(fakeVector));
    const encoded = encoders.flatMap(({ calls: chunks }) => chunks.flatMap(({ texts }) => texts));
    expect(encoded).toHaveLength(TEXTS.length);
    expect(new Set(encoded)).toEqual(new Set(TEXTS));
  });

  it('encodes for the client that still waits when the one whose turn it was aborts its call', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await openWorker(encoder);
    const [leaving, staying] = [await openProducer(), await openProducer()];
    const abort = new AbortController();
    const left = leaving.encode(TEXTS, cached(), { signal: abort.signal }).catch((thrown: unknown) => thrown);
    await encoder.arrived(1);
    const second = new FakeEncoder();
    await openWorker(second);
    const call = staying.encode(TEXTS, cached(), {});
    await bothPulled();
    abort.abort();
    expect(await left).toMatchObject({ code: 'cancelled' });
    expect(rowsOf(await call)).toEqual(TEXTS.map(fakeVector));
    expect(second.calls.map(({ texts }) => texts)).toEqual([TEXTS]);
  });

  it('says what any call says while Redis is down, at its deadline or its abort, and answers again after', async () => {
    await openWorker(new FakeEncoder());
    const producer = await openProducer();
    await producer.encode(['kept'], cached(), {});
    await redis.kill();
    const abort = new AbortController();
    const aborted = producer.encode(['kept'], cached(), { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'cancelled' });
    const late = producer.encode(['kept'], cached(), { timeoutMs: 300 });
    await expect(late).rejects.toMatchObject({ code: 'redis_unavailable' });
    const waiting = producer.encode(['kept', 'new'], cached(), {});
    await redis.restart();
    expect(rowsOf(await waiting)).toEqual(['kept', 'new'].map(fakeVector));
  });

  it('encodes what a killed worker had begun, for all who wait for it', async () => {
    const child = spawnWorker(redis.url);
    open.push({ close: () => kill(child) });
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    expect(String(line)).toContain('open');
    const producers = [await openProducer(), await openProducer()];
    const begun = producers[0]?.encode(TEXTS, cached(), {});
    await eventually(async () => (await client.keys(keys.cache('*'))).length === TEXTS.length);
    const encoder = new FakeEncoder();
    await openWorker(encoder);
    const waiting = producers[1]?.encode(TEXTS.toReversed(), cached(), {});
    await bothPulled();
    await kill(child);
    // Its waiter goes on when the leases run out; its own job comes back by the stalled check.
    expect(rowsOf(await waiting)).toEqual(TEXTS.toReversed().map(fakeVector));
    expect(rowsOf(await begun)).toEqual(TEXTS.map(fakeVector));
    // Once for who waited; a job whose worker died runs alone, and does not look.
    expect(encoder.calls).toHaveLength(2);
  });
});

/** A worker of a process of its own that never ends a chunk. */
function spawnWorker(url: string): ChildProcess {
  const script = `
    import { FarmWorker } from '@embedfarm/farm/worker';
    import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
    const encoder = new FakeEncoder();
    encoder.hold();
    const options = { redis: ${JSON.stringify(url)}, ...${JSON.stringify(ONE_JOB)} };
    await FarmWorker.open(fakeRegistration(), encoder, options);
    process.stdout.write('open');`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function rowsOf(encoded: EncodedTexts | undefined): number[][] {
  if (encoded === undefined) return [];
  const { values, dimensions } = encoded.block;
  return Array.from({ length: values.length / dimensions }, (_, row) =>
    Array.from(values.subarray(row * dimensions, (row + 1) * dimensions)),
  );
}
