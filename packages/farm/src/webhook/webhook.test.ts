import { encodeRequestSchema } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { submitted } from '../testing/test-farm.ts';
import { Producer } from '../producer/producer.ts';
import type { RequestRecord } from '../request/request-record.ts';
import { FarmWorker } from '../worker/farm-worker.ts';
import { Receiver, type Delivery } from './receiver.fixture.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.alloc(24, 2).toString('base64')}`;
const request = encodeRequestSchema.parse({});

/** What a receiver's library makes of it. It throws when the signature is wrong. */
function verified({ body, headers }: Delivery, secret = SECRET): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

checkOpenHandles();

describe('a webhook', () => {
  let redis: TestRedis;
  let receiver: Receiver;
  let producer: Producer;
  let encoder: FakeEncoder;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
    receiver = await Receiver.open();
    producer = await Producer.open({ redis: redis.url });
    encoder = new FakeEncoder();
    open.push(redis, receiver, producer);
  });
  afterEach(async () => {
    encoder.release();
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
  });

  async function openWorker(webhooks: object = {}): Promise<FarmWorker> {
    const worker = await FarmWorker.open(fakeRegistration(), encoder, {
      redis: redis.url,
      webhooks: {
        hosts: [receiver.origin],
        secrets: [SECRET],
        retryDelaysMs: [1, 1, 1],
        pollMs: 20,
        ...webhooks,
      },
    });
    open.push(worker);
    return worker;
  }

  async function settled(id: string): Promise<RequestRecord> {
    return await eventually(
      async () => {
        const record = await producer.requests.read(id);
        return record.webhookState === 'pending' || record.webhookState === undefined ? undefined : record;
      },
      { what: 'an outcome of the webhook' },
    );
  }

  it('tells the end of a request, signed, without a text or a vector', async () => {
    await openWorker();
    const texts = ['sesame', 'bad text'];
    const id = await submitted(producer, texts, request, { label: 'reindex', webhook: receiver.url }, {});
    const record = await settled(id);
    expect(record).toMatchObject({ webhookState: 'delivered', webhookAttempts: 1, webhookError: '' });
    expect(receiver.deliveries).toHaveLength(1);
    const [delivery] = receiver.deliveries as [Delivery];
    const endedAt = new Date(record.endedAtMs ?? 0).toISOString();
    expect(verified(delivery)).toEqual({
      type: 'request.completed',
      timestamp: endedAt,
      data: {
        id,
        state: 'completed',
        label: 'reindex',
        model: 'fake',
        texts: 2,
        done: 1,
        failed: 1,
        createdAt: new Date(record.createdAtMs).toISOString(),
        endedAt,
      },
    });
    expect(delivery.path).toBe('/hooks?key=hush');
    expect(delivery.headers).toMatchObject({ 'webhook-id': id, 'content-type': 'application/json' });
    expect(delivery.headers['user-agent']).toMatch(/^embedfarm\/\d+\.\d+\.\d+$/);
    expect(() => verified({ ...delivery, body: delivery.body.replace('"done":1', '"done":2') })).toThrow(
      'No matching signature',
    );
  });

  it('tells of failed and cancelled requests, and has no label where there is none', async () => {
    await openWorker();
    const failed = await submitted(producer, ['bad text'], request, { webhook: receiver.url }, {});
    await receiver.arrived(1);
    encoder.hold();
    const cancelled = await submitted(producer, ['held'], request, { webhook: receiver.url }, {});
    await encoder.arrived(2);
    const client = new Redis(redis.url);
    await producer.requests.cancel(cancelled);
    client.disconnect();
    await receiver.arrived(2);
    expect(receiver.deliveries.map((delivery) => verified(delivery))).toMatchObject([
      { type: 'request.failed', data: { id: failed, state: 'failed', done: 0, failed: 1, label: null } },
      { type: 'request.cancelled', data: { id: cancelled, state: 'cancelled', done: 0 } },
    ]);
  });

  it('is tried again, with the same id and body and a fresh signature', async () => {
    await openWorker();
    receiver.answer(500, 503);
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    expect(await settled(id)).toMatchObject({
      webhookState: 'delivered',
      webhookAttempts: 3,
      webhookError: '',
    });
    const [first, ...others] = receiver.deliveries.map(({ body, headers }) => [body, headers['webhook-id']]);
    expect(others).toEqual([first, first]);
    for (const delivery of receiver.deliveries) verified(delivery);
  });

  it('is given up when its attempts are spent, or when the receiver says that it is gone', async () => {
    await openWorker();
    receiver.answer(500, 404, 429, 500, 410);
    const spent = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    expect(await settled(spent)).toMatchObject({
      webhookState: 'given_up',
      webhookAttempts: 4,
      webhookError: 'http_500',
    });
    const gone = await submitted(producer, ['b'], request, { webhook: receiver.url }, {});
    expect(await settled(gone)).toMatchObject({
      webhookState: 'given_up',
      webhookAttempts: 1,
      webhookError: 'http_410',
    });
  });

  it('does not follow a redirect', async () => {
    await openWorker({ retryDelaysMs: [1] });
    const elsewhere = (path: string) =>
      receiver.answer((_, response) =>
        response.writeHead(302, { location: `${receiver.origin}${path}` }).end(),
      );
    elsewhere('/first');
    elsewhere('/second');
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    expect(await settled(id)).toMatchObject({ webhookState: 'given_up', webhookError: 'http_302' });
    expect(receiver.deliveries.map(({ path }) => path)).toEqual(['/hooks?key=hush', '/hooks?key=hush']);
  });

  it('is tried again when no answer comes; an answer that never ends is one', async () => {
    await openWorker({ timeoutMs: 300, retryDelaysMs: [1] });
    const silent = () => undefined;
    receiver.answer(silent, silent);
    const unanswered = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    expect(await settled(unanswered)).toMatchObject({
      webhookState: 'given_up',
      webhookAttempts: 2,
      webhookError: 'timeout',
    });
    receiver.answer((_, response) => void response.writeHead(200).write('and so on'));
    const endless = await submitted(producer, ['b'], request, { webhook: receiver.url }, {});
    expect(await settled(endless)).toMatchObject({ webhookState: 'delivered', webhookAttempts: 1 });
  });

  it('reads no more of an answer than it must', async () => {
    await openWorker();
    const part = Buffer.alloc(65_536);
    const cut = new Promise<void>((resolve) => {
      receiver.answer((_, response) => {
        response.on('error', () => undefined);
        response.on('close', resolve);
        const fill = (): void => {
          while (!response.destroyed && response.write(part));
        };
        response.writeHead(200).on('drain', fill);
        fill();
      });
    });
    const id = await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    expect(await settled(id)).toMatchObject({ webhookState: 'delivered', webhookAttempts: 1 });
    await cut;
  });

  it('is signed with every secret while one replaces the other', async () => {
    await openWorker({ secrets: [SECRET, OLD_SECRET] });
    await submitted(producer, ['a'], request, { webhook: receiver.url }, {});
    await receiver.arrived(1);
    const [delivery] = receiver.deliveries as [Delivery];
    expect(verified(delivery, SECRET)).toEqual(verified(delivery, OLD_SECRET));
    const other = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
    expect(() => verified(delivery, other)).toThrow('No matching signature');
  });
});
