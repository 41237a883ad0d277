import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { fakeVector } from '@embedfarm/testkit/fake-encoder';
import { seededRandom } from '@embedfarm/testkit/seeded-random';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { XSubscriber } from 'zeromq';
import { BertTestFarm } from '../testing/bert-test-farm.ts';
import { hostileConnection, hostileMessage, pick } from '../testing/hostile-messages.ts';

/** EMBEDFARM_FUZZ_CASES=1000000 EMBEDFARM_FUZZ_SEED=7 for a long form. */
const CASES = Number(process.env['EMBEDFARM_FUZZ_CASES'] || 20_000);
const SEED = Number(process.env['EMBEDFARM_FUZZ_SEED'] || 1);
/** A process may have some thousand files open. */
const CONNECTIONS = Math.min(2_000, Math.ceil(CASES / 10));
const MAX_GROWN_BYTES = 300_000_000;
const LIMIT_MS = 600_000;

let farm: BertTestFarm;

beforeAll(async () => {
  farm = await BertTestFarm.open();
});
afterEach(async () => {
  await farm.rest();
});
afterAll(async () => {
  await farm.close();
});

it(
  `serves a good client among ${CASES} malformed messages, and keeps nothing of them`,
  async () => {
    const random = seededRandom(SEED);
    await farm.openWorker();
    const door = await farm.openDoor({ unclaimedMs: 200, timeoutMs: 5_000 });
    const [stranger, good] = [farm.openClient(door), farm.openClient(door)];
    await good.encode(['warm']);
    const startBytes = process.memoryUsage.rss();
    let isOver = false;
    const serving = (async () => {
      let served = 0;
      for (; !isOver; served += 1) {
        expect([...(await good.encode([`text ${served}`])).values]).toEqual(fakeVector(`text ${served}`));
      }
      return served;
    })();
    for (let message = 0; message < CASES; message += 1) {
      await stranger.sendFrames(hostileMessage(random));
      // All before it has been read when it is answered.
      if (message % 500 === 499) await stranger.ask('SHOW_CONFIG');
    }
    await stranger.ask('SHOW_STATUS');
    isOver = true;
    expect(await serving).toBeGreaterThan(0);
    await eventually(() => door.figures().heldBytes === 0, { timeoutMs: 30_000 });
    const { malformed, requests, questions, terminationsRefused, refused } = door.counters;
    expect(malformed).toBeGreaterThan(CASES / 10);
    expect(terminationsRefused).toBeGreaterThan(0);
    expect(refused).toBe(0);
    const ownQuestions = Math.floor(CASES / 500) + 1;
    const ownRequests = (await serving) + 1;
    expect(malformed + requests + questions + terminationsRefused).toBe(CASES + ownQuestions + ownRequests);
    expect(process.memoryUsage.rss() - startBytes).toBeLessThan(MAX_GROWN_BYTES);
    await expectUnharmed();
  },
  LIMIT_MS,
);

it(
  `serves a good client among ${CONNECTIONS} broken connections to both ports`,
  async () => {
    const random = seededRandom(SEED + 1);
    await farm.openWorker();
    const door = await farm.openDoor();
    const good = farm.openClient(door);
    await good.encode(['warm']);
    const startBytes = process.memoryUsage.rss();
    const open = new Set<Socket>();
    const served: number[][] = [];
    for (let connection = 0; connection < CONNECTIONS; connection += 1) {
      const socket = hostileConnection(pick([door.portIn, door.portOut], random), random);
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      if (connection % 20 === 0) served.push([...(await good.encode(['good'])).values]);
    }
    expect(served).toEqual(served.map(() => fakeVector('good')));
    const listener = new XSubscriber({ linger: 0 });
    listener.connect(`tcp://127.0.0.1:${door.portOut}`);
    // Subscriptions of any bytes and lengths, and what is none.
    for (let message = 0; message < CASES; message += 1) {
      const topic = Buffer.alloc(Math.floor(random() * 300), message);
      topic[0] = Math.floor(random() * 3);
      await listener.send(topic);
    }
    expect([...(await good.encode(['good'])).values]).toEqual(fakeVector('good'));
    listener.close();
    for (const socket of open) socket.destroy();
    // Those of the good client.
    await eventually(() => door.figures().connections === 2);
    expect(door.counters.cut).toBeGreaterThan(0);
    expect(process.memoryUsage.rss() - startBytes).toBeLessThan(MAX_GROWN_BYTES);
    await expectUnharmed();
  },
  LIMIT_MS,
);

it(
  'serves a good client beside 1,000 idle connections',
  async () => {
    await farm.openWorker();
    const door = await farm.openDoor();
    const sockets = Array.from({ length: 1_000 }, () => connect(door.portIn, '127.0.0.1'));
    for (const socket of sockets) socket.on('error', () => undefined);
    await eventually(() => door.figures().connections >= 1_000, { timeoutMs: 60_000 });
    const good = farm.openClient(door);
    expect([...(await good.encode(['good'])).values]).toEqual(fakeVector('good'));
    for (const socket of sockets) socket.destroy();
    await eventually(() => door.figures().connections === 2, { timeoutMs: 60_000 });
  },
  LIMIT_MS,
);

/** The farm behind it has nothing left of all that, and goes on. */
async function expectUnharmed(): Promise<void> {
  const sdk = await EmbeddingFarm.connect({ redis: farm.redis.url });
  const { backlog, workers } = await sdk.status();
  expect(backlog).toEqual({ interactive: 0, bulk: 0 });
  expect(workers).toHaveLength(1);
  expect((await sdk.encode(['good'])).toArrays()).toEqual([fakeVector('good')]);
  await sdk.close();
}
