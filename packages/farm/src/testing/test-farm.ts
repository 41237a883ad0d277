import { encodeRequestSchema, redisKeys, type EncodeRequest } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import type { ProducerOptions } from '../producer/producer-options.ts';
import { Producer } from '../producer/producer.ts';
import { FarmWorker } from '../worker/farm-worker.ts';

/** A farm on a Redis of its own. What is opened through it is closed by `rest`, the last one first. */
export class TestFarm {
  readonly redis: TestRedis;
  /** For looking, and for doing by hand what nobody should. */
  readonly client: Redis;
  readonly keys = redisKeys();
  readonly #open: { close: () => Promise<unknown> }[] = [];

  private constructor(redis: TestRedis) {
    this.redis = redis;
    this.client = new Redis(redis.url);
    // While it is restarted.
    this.client.on('error', () => undefined);
  }

  static async open(): Promise<TestFarm> {
    return new TestFarm(await openTestRedis());
  }

  async openProducer(options: ProducerOptions = {}): Promise<Producer> {
    const producer = await Producer.open({ redis: this.redis.url, ...options });
    this.#open.push(producer);
    return producer;
  }

  async openWorker(encoder = new FakeEncoder(), options: object = {}): Promise<FarmWorker> {
    const worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: this.redis.url, ...options });
    this.#open.push(worker);
    return worker;
  }

  /** The model is known, and nobody serves it. */
  async registerModel(): Promise<void> {
    await (await this.openWorker()).close();
  }

  /** Waits until no bulk job waits or runs. */
  async settleQueue(): Promise<void> {
    await eventually(async () => {
      const waiting = await this.client.zcard('{embedfarm}:fake-bulk:prioritized');
      return waiting + (await this.client.llen('{embedfarm}:fake-bulk:active')) === 0;
    });
  }

  /** After a test: nothing is open. */
  async rest(): Promise<void> {
    for (const one of this.#open.toReversed()) await one.close();
    this.#open.length = 0;
  }

  async close(): Promise<void> {
    await this.rest();
    this.client.disconnect();
    await this.redis.close();
  }
}

/** @returns the id of the request, when all of it is in Redis. */
export async function submitted(
  producer: Producer,
  ...[texts, request, terms, call]: Parameters<Producer['requests']['submit']>
): Promise<string> {
  const { requestId, filled } = await producer.requests.submit(texts, request, terms, call);
  await filled;
  return requestId;
}

/** A request's options, complete. */
export function encodeRequest(options: object = {}): EncodeRequest {
  return encodeRequestSchema.parse(options);
}

export function manyTexts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `text ${index}`);
}
