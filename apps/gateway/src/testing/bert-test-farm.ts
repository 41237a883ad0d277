import type { ModelRegistration } from '@embedfarm/contract';
import { FarmWorker } from '@embedfarm/farm/worker';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import type { BertDoorOptions } from '../bert-client/bert-door-options.ts';
import type { BertDoor } from '../bert-client/bert-door.ts';
import { openBertDoor } from '../bert-client/open-bert-door.ts';
import { BertTestClient, type BertTestClientOptions } from './bert-test-client.ts';

/** A farm in Redis with doors before it. What is opened through it is closed by `rest`, the last one first. */
export class BertTestFarm {
  readonly redis: TestRedis;
  readonly #open: { close: () => unknown }[] = [];

  private constructor(redis: TestRedis) {
    this.redis = redis;
  }

  static async open(): Promise<BertTestFarm> {
    return new BertTestFarm(await openTestRedis());
  }

  async openWorker(
    encoder = new FakeEncoder(),
    registration: Partial<ModelRegistration> = {},
  ): Promise<FarmWorker> {
    const worker = await FarmWorker.open({ ...fakeRegistration(), ...registration }, encoder, {
      redis: this.redis.url,
    });
    this.#open.push(worker);
    return worker;
  }

  /** On free ports. */
  async openDoor(options: BertDoorOptions = {}): Promise<BertDoor> {
    const door = await openBertDoor({ redis: this.redis.url, portIn: 0, portOut: 0, ...options });
    this.#open.push({ close: () => door.close({ graceMs: 1_000 }) });
    return door;
  }

  openClient(door: BertDoor, options: BertTestClientOptions = {}): BertTestClient {
    const client = new BertTestClient(door, options);
    this.#open.push(client);
    return client;
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
}
