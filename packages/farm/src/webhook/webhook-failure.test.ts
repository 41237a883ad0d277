import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { encodeRequestSchema, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { submitted } from '../testing/test-farm.ts';
import { Producer } from '../producer/producer.ts';
import type { RequestRecord } from '../request/request-record.ts';
import { FarmWorker } from '../worker/farm-worker.ts';
import { Receiver } from './receiver.fixture.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const PACKAGE = new URL('../..', import.meta.url);
const BUILT_WORKER = new URL('dist/worker/farm-worker.js', PACKAGE).href;
const request = encodeRequestSchema.parse({});

/** A worker in a process of its own, which says when it is there. */
const WORKER_PROGRAM = `
const { FarmWorker } = await import(process.argv[2]);
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
await FarmWorker.open(fakeRegistration(), new FakeEncoder(), JSON.parse(process.argv[1]));
console.log('ready');`;

checkOpenHandles();

describe('a webhook, when something fails', () => {
  let redis: TestRedis;
  let client: Redis;
  let receiver: Receiver;
  let producer: Producer;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
    receiver = await Receiver.open();
    producer = await Producer.open({ redis: redis.url });
    client = new Redis(redis.url);
    client.on('error', () => undefined);
    open.push(redis, { close: () => client.quit() }, receiver, producer);
  });
  afterEach(async () => {
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
  });

  function options(webhooks: object = {}): Parameters<typeof FarmWorker.open>[2] {
    return {
      redis: redis.url,
      lockDurationMs: 1_000,
      stalledIntervalMs: 500,
      webhooks: {
        hosts: [receiver.origin],
        secrets: [SECRET],
        retryDelaysMs: [1, 1, 1],
        pollMs: 20,
        ...webhooks,
      },
    };
  }

  async function openWorker(webhooks: object = {}): Promise<FarmWorker> {
    const worker = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), options(webhooks));
    open.push(worker);
    return worker;
  }

  async function outcome(
    id: string,
    state: RequestRecord['webhookState'],
    attempts = 1,
  ): Promise<RequestRecord> {
    return await eventually(
      async () => {
        const record = await producer.requests.read(id);
        return record.webhookState === state && (record.webhookAttempts ?? 0) >= attempts
          ? record
          : undefined;
      },
      { what: `the webhook ${state} after ${attempts} attempts` },
    );
  }

  it('is refused at once where no worker delivers to its host', async () => {
    const submit = (webhook: string) => submitted(producer, ['a'], request, { webhook }, {});
    const worker = await openWorker();
    for (const url of ['http://127.0.0.1:1/hush', 'https://127.0.0.1/hush', 'http://evil.example/hush']) {
      await expect(submit(url)).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(submit(url)).rejects.toThrow(
        /^\[invalid_argument\] webhook: no worker delivers to https?:[^h]+;/,
      );
    }
    expect(await client.zcard(redisKeys().requests)).toBe(0);
    await worker.close();
    // As a model, a host is remembered when its last worker is gone.
    await submit(receiver.url);
  });

  it('is not posted to a host that has left the settings, and is when it is back', async () => {
    const plain = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), { redis: redis.url });
    open.push(plain);
    await (await openWorker()).close();
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    const strict = await openWorker({ hosts: ['a.example.com'], retryDelaysMs: Array(100).fill(50) });
    expect(await outcome(id, 'pending')).toMatchObject({ webhookError: 'host_not_allowed' });
    await strict.close();
    expect(receiver.deliveries).toHaveLength(0);
    await openWorker();
    await outcome(id, 'delivered', 2);
    expect(receiver.deliveries).toHaveLength(1);
  });

  it('does not reach a private address through a name, unless the name is listed with its scheme', async () => {
    const name = `localhost:${receiver.port}`;
    const first = await openWorker({ hosts: [name], retryDelaysMs: [1] });
    const refused = await submitted(producer, ['a'], request, { webhook: `https://${name}/` }, {});
    expect(await outcome(refused, 'given_up', 2)).toMatchObject({ webhookError: 'private_address' });
    await first.close();
    await openWorker({ hosts: [`http://${name}`, `https://${name}`], retryDelaysMs: [1] });
    const plain = await submitted(producer, ['a'], request, { webhook: `http://${name}/` }, {});
    await outcome(plain, 'delivered');
    expect(receiver.deliveries).toHaveLength(1);
    // The receiver speaks no TLS, so that the connection is all there is.
    const secured = await submitted(producer, ['a'], request, { webhook: `https://${name}/` }, {});
    expect(await outcome(secured, 'given_up', 2)).toMatchObject({ webhookError: 'tls' });
  });

  it('reaches a receiver that was down, when it is up again', async () => {
    await openWorker({ retryDelaysMs: Array(100).fill(50) });
    await receiver.close();
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    expect(await outcome(id, 'pending')).toMatchObject({ webhookError: 'connection_refused' });
    const again = await Receiver.open(receiver.port);
    open.push(again);
    await outcome(id, 'delivered', 2);
    expect(again.deliveries).toHaveLength(1);
  });

  it('waits in Redis for a worker that delivers', async () => {
    await (await openWorker()).close();
    const plain = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), { redis: redis.url });
    open.push(plain);
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    await producer.requests.result(id, {}, {});
    expect(await client.zrange(redisKeys().webhooksDue, '0', '-1')).toEqual([id]);
    await redis.restart();
    await openWorker();
    await outcome(id, 'delivered');
    expect(receiver.deliveries).toHaveLength(1);
    await eventually(async () => (await client.exists(redisKeys().webhooksDue)) === 0);
  });

  it('is delivered by another worker when one is killed in the middle of it', async () => {
    const program = ['--input-type=module', '-e', WORKER_PROGRAM, JSON.stringify(options()), BUILT_WORKER];
    const child = spawn(process.execPath, program, { cwd: PACKAGE, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    receiver.answer(() => undefined);
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    await receiver.arrived(1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await openWorker();
    await outcome(id, 'delivered');
    expect(receiver.deliveries.map(({ headers }) => headers['webhook-id'])).toEqual([id, id]);
  });

  it('goes back to its queue when the worker closes, and does not count as tried', async () => {
    const worker = await openWorker();
    receiver.answer(() => undefined);
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    await receiver.arrived(1);
    await worker.close({ graceMs: 0 });
    await openWorker();
    await outcome(id, 'delivered');
    expect(receiver.deliveries).toHaveLength(2);
  });

  it('is delivered once where two workers look for it, and leaves nothing behind', async () => {
    await openWorker();
    await openWorker();
    const submitting = Array.from({ length: 30 }, (_, index) =>
      submitted(producer, [`text ${index}`], request, { webhook: receiver.url }, {}),
    );
    const ids = await Promise.all(submitting);
    for (const id of ids) await outcome(id, 'delivered');
    expect(receiver.deliveries).toHaveLength(ids.length);
    expect(new Set(receiver.deliveries.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(ids));
    const left = async () => [
      await client.exists(redisKeys().webhooksDue),
      ...(await client.keys('{embedfarm}:webhooks:0-*')),
    ];
    await eventually(async () => (await left()).join() === '0', { what: 'no job and no end left' });
    expect(await client.pttl(redisKeys().webhookHosts)).toBeGreaterThan(0);
  });

  it('lets a worker close while Redis is gone, and is posted again when it is back', async () => {
    const worker = await openWorker();
    receiver.answer(() => undefined);
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    await receiver.arrived(1);
    await redis.kill();
    await expect(worker.close({ graceMs: 0 })).rejects.toThrow('the worker closed with faults');
    open.splice(open.indexOf(worker), 1);
    await redis.restart();
    await openWorker();
    await outcome(id, 'delivered');
    expect(receiver.deliveries).toHaveLength(2);
  }, 30_000);

  it('is dropped when its request was spoilt by hand', async () => {
    await (await openWorker()).close();
    const plain = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), { redis: redis.url });
    open.push(plain);
    const spoilt = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    const good = await submitted(producer, ['b'], request, { webhook: receiver.url }, {});
    for (const id of [spoilt, good]) await producer.requests.result(id, {}, {});
    await client.hset(redisKeys().request(spoilt), 'webhook', 'javascript:alert(1)');
    await client.zadd(redisKeys().webhooksDue, 0, '0-nobody-1');
    await openWorker();
    await outcome(good, 'delivered');
    await eventually(async () => (await client.exists(redisKeys().webhooksDue)) === 0);
    expect(receiver.deliveries).toHaveLength(1);
  });
});
