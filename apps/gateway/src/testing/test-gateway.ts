import { MemoryEncoder, MemoryProducer, type MemoryOptions } from '@embedfarm/farm/memory';
import { FarmWorker } from '@embedfarm/farm/worker';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import type { GatewayOptions } from '../gateway-options.ts';
import { openGateway, type RunningGateway } from '../gateway.ts';

/** What a request was answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at whatever came
  readonly body: any;
}

/** Gateways before farms on a Redis of their own. What is opened through it is closed by `rest`, the last one first. */
export class TestGateway {
  readonly redis: TestRedis;
  readonly #open: { close: () => Promise<unknown> }[] = [];
  url = '';

  private constructor(redis: TestRedis) {
    this.redis = redis;
  }

  static async open(): Promise<TestGateway> {
    return new TestGateway(await openTestRedis());
  }

  /** A worker whose vectors are hashes: the same for the same text and options. */
  async openHashWorker(options: Partial<MemoryOptions> = {}): Promise<FarmWorker> {
    const { registration } = new MemoryProducer({ dimensions: 24, ...options });
    return await this.#keep(
      FarmWorker.open(registration, new MemoryEncoder(registration), { redis: this.redis.url }),
    );
  }

  /** A worker that can be held in the middle of a chunk. */
  async openFakeWorker(encoder = new FakeEncoder(), place: { prefix?: string } = {}): Promise<FarmWorker> {
    return await this.#keep(
      FarmWorker.open(fakeRegistration(), encoder, { redis: this.redis.url, ...place }),
    );
  }

  /** A gateway that answers, and whose farm is there. */
  async openGateway(options: Partial<GatewayOptions> = {}): Promise<RunningGateway> {
    const gateway = await this.#keep(openGateway({ redis: this.redis.url, port: 0, ...options }));
    this.url = gateway.url;
    return gateway;
  }

  async connect(): Promise<EmbeddingFarm> {
    return await this.#keep(EmbeddingFarm.connect({ redis: this.redis.url }));
  }

  /** Asks the gateway that was opened last; a body goes as JSON. */
  async ask(path: string, init: { body?: unknown } & Omit<RequestInit, 'body'> = {}): Promise<Answer> {
    const { body, headers, ...others } = init;
    const answer = await fetch(this.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      ...others,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(headers as Record<string, string> | undefined),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: init.signal ?? AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('Content-Type')?.includes('application/json') === true;
    return {
      status: answer.status,
      headers: answer.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  }

  /** Until the farm behind the gateway is as a test needs it. */
  async ready(): Promise<void> {
    await eventually(async () => (await this.ask('/readyz')).status === 200, { what: 'a ready gateway' });
  }

  /** After a test: nothing is open. */
  async rest(): Promise<void> {
    for (const one of this.#open.toReversed()) await one.close();
    this.#open.length = 0;
  }

  async close(): Promise<void> {
    await this.rest();
    await this.redis.close();
  }

  async #keep<One extends { close: () => Promise<unknown> }>(opening: Promise<One>): Promise<One> {
    const one = await opening;
    this.#open.push(one);
    return one;
  }
}
