import { encodeRequestSchema } from '@embedfarm/contract';
import { openAclRedis } from '@embedfarm/testkit/acl-redis';
import { openClusterRedis } from '@embedfarm/testkit/cluster-redis';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openSentinelRedis } from '@embedfarm/testkit/sentinel-redis';
import { openTlsRedis } from '@embedfarm/testkit/tls-redis';
import { findValkey, openValkeyRedis } from '@embedfarm/testkit/valkey-redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from './inspect/inspector.ts';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

checkOpenHandles();

/** All that a farm may do in a Redis, as docs/redis.md has it. */
const RIGHTS = ['~{embedfarm}*', '&{embedfarm}*', '+@all', '-@admin', '-@dangerous', '+info'];

interface Opened {
  readonly url: string;
  close(): Promise<void>;
}

async function openNamedTls(): Promise<Opened> {
  const tls = await openTlsRedis();
  return { url: `${tls.url}&servername=redis.test`, close: () => tls.close() };
}

const valkey = await findValkey();
const forms: [name: string, open: () => Promise<Opened>][] = [
  ['TLS with a certificate of each side, and a name', openNamedTls],
  ['a user who may do what a farm does and no more', () => openAclRedis(RIGHTS)],
  ['Sentinel with passwords', () => openSentinelRedis()],
  ['Sentinel with TLS', () => openSentinelRedis({ tls: true })],
  ['Cluster', () => openClusterRedis()],
  ['Cluster with TLS', () => openClusterRedis({ tls: true })],
];
if (valkey !== undefined) forms.push(['Valkey', () => openValkeyRedis(valkey)]);
else console.warn('SKIPPED: Valkey, as no valkey-server is in PATH and EMBEDFARM_TEST_VALKEY names none');

const request = (options: object = {}) => encodeRequestSchema.parse(options);

describe.each(forms)('a farm on %s', (_name, open) => {
  let redis: Opened;
  let encoder: FakeEncoder;
  let worker: FarmWorker;
  let producer: Producer;

  beforeAll(async () => {
    redis = await open();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    encoder = new FakeEncoder();
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
    producer = await Producer.open({ redis: redis.url });
  });
  afterEach(async () => {
    encoder.release();
    await producer.close();
    await worker.close();
  });

  it('encodes a text, and many', async () => {
    const { block } = await producer.encode(['one'], request(), {});
    expect(Array.from(block.values)).toEqual(fakeVector('one'));
    const texts = Array.from({ length: 600 }, (_, index) => `text ${index}`);
    const many = await producer.encode(texts, request(), {});
    expect(Array.from(many.block.values)).toEqual(texts.flatMap(fakeVector));
  });

  it('keeps a submitted request, and tells how it is', async () => {
    const texts = ['to', 'be', 'kept'];
    const { requestId } = await producer.requests.submit(texts, request(), { label: 'a label' }, {});
    const { block } = await producer.requests.result(requestId, {}, {});
    expect(Array.from(block.values)).toEqual(texts.flatMap(fakeVector));
    const record = await producer.requests.read(requestId);
    expect(record).toMatchObject({ state: 'completed', textsDone: 3, label: 'a label' });
  });

  it('encodes a text once, where it may be kept', async () => {
    const first = await producer.encode(['kept'], request({ cache: true }), {});
    const second = await producer.encode(['kept'], request({ cache: true }), {});
    expect(Array.from(second.block.values)).toEqual(Array.from(first.block.values));
    expect(encoder.calls).toHaveLength(1);
  });

  it('cancels a submitted request', async () => {
    encoder.hold();
    const texts = Array.from({ length: 2_000 }, (_, index) => `text ${index}`);
    const { requestId } = await producer.requests.submit(texts, request(), {}, {});
    await encoder.arrived(1);
    await producer.requests.cancel(requestId);
    encoder.release();
    expect(await producer.requests.wait(requestId, {})).toMatchObject({ state: 'cancelled' });
  });

  it('takes a chunk back from the worker that holds it, which is told by pub/sub', async () => {
    encoder.hold();
    const abort = new AbortController();
    const call = producer.encode(['never mind'], request(), { signal: abort.signal });
    await encoder.arrived(1);
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    await eventually(() => worker.heldJobs === 0, { what: 'the worker lets go' });
  });

  it('knows what it is', async () => {
    const inspector = await Inspector.open({ redis: redis.url });
    try {
      const status = await inspector.status();
      expect(status.models).toMatchObject([{ model: 'fake', workers: 1 }]);
      expect(status.clients).toBe(1);
      expect(await inspector.series(10)).toHaveLength(10);
    } finally {
      await inspector.close();
    }
  });

  it('knows what it did, what waits, who is there and what failed', async () => {
    await producer.encode(['one'], request(), {});
    await producer.encode(['bad text'], request(), {}).catch(() => undefined);
    await worker.close();
    // Jobs that wait at both ends of both kinds of queue.
    await producer.requests.submit(['a'], request({ lane: 'interactive' }), {}, {});
    await producer.requests.submit(['a'], request({ lane: 'bulk' }), {}, {});
    const inspector = await Inspector.open({ redis: redis.url });
    try {
      await inspector.sample();
      const { interactive, bulk } = await inspector.waiting();
      expect([interactive, bulk]).toMatchObject([
        { jobs: 1, texts: 1 },
        { jobs: 1, texts: 1 },
      ]);
      const minutes = await inspector.minutes(60);
      expect(minutes.some(({ lanes }) => lanes.interactive.texts > 0)).toBe(true);
      const clients = await inspector.clients(10);
      expect(clients).toMatchObject([{ clientId: producer.clientId }]);
      // Of the texts of the minute, those of clients that have left included.
      expect(clients[0]?.share).toBeGreaterThan(0);
      expect(await inspector.failures()).toMatchObject([{ code: 'internal', sample: { text: 'bad text' } }]);
      expect(await inspector.curves()).toEqual([]);
    } finally {
      await inspector.close();
    }
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
  });

  it('says that there is no such model', async () => {
    const call = producer.encode(['a'], request({ model: 'never' }), {});
    await expect(call).rejects.toMatchObject({ code: 'model_not_found' });
  });
});
