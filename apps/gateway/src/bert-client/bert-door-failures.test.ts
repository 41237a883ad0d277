import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BertTestFarm } from '../testing/bert-test-farm.ts';

let farm: BertTestFarm;
const sockets: Socket[] = [];

beforeAll(async () => {
  farm = await BertTestFarm.open();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await farm.rest();
});
afterAll(async () => {
  await farm.close();
});

const FAILURE = { shape: [0], tokens: '' };

describe('a request that cannot be served', () => {
  it('gets an error that BertClient raises, and the client goes on', async () => {
    await farm.openWorker();
    const client = farm.openClient(await farm.openDoor({ maxRequestTexts: 10 }));
    for (const [texts, message] of [
      [[], 'the list of texts is empty'],
      [[1], 'texts[0] must be a string, as texts[0] is one; got number'],
      [Array.from({ length: 11 }, () => 'a'), '11 texts, limit is 10'],
      [['bad text'], '1 of 1 texts failed'],
      [Buffer.from('no JSON'), 'the request is not JSON in UTF-8'],
    ] as const) {
      const { header, values } = await client.receive(await client.send(texts));
      expect(header).toMatchObject({ ...FAILURE, error: { message: expect.stringContaining(message) } });
      expect(header.dtype).toMatch(/^embedfarm: (invalid_argument|texts_failed): [^,']*$/);
      expect(values).toHaveLength(0);
    }
    expect([...(await client.encode(['good'])).values]).toEqual(fakeVector('good'));
  });

  it('gets rows of NaN instead where the door is told so', async () => {
    await farm.openWorker();
    const client = farm.openClient(await farm.openDoor({ failures: 'nan' }));
    const { header, values } = await client.encode(['good', 'bad text']);
    expect(header.shape).toEqual([2, 4]);
    expect([...values]).toEqual([...fakeVector('good'), NaN, NaN, NaN, NaN]);
    expect((await client.encode([1])).header).toMatchObject(FAILURE);
  });

  it('hears at its deadline that no worker is there', async () => {
    await (await farm.openWorker()).close();
    const [raising, filling] = [
      farm.openClient(await farm.openDoor({ timeoutMs: 300 })),
      farm.openClient(await farm.openDoor({ timeoutMs: 300, failures: 'nan' })),
    ];
    expect((await raising.encode(['a'])).header).toMatchObject({ ...FAILURE, error: { code: 'no_worker' } });
    expect([...(await filling.encode(['a'])).values]).toEqual([NaN, NaN, NaN, NaN]);
  });

  it('waits for room where the farm holds as much as it may', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await farm.openWorker(encoder);
    const sdk = await EmbeddingFarm.connect({ redis: farm.redis.url });
    await sdk.setLimits({ texts: 256 });
    const client = farm.openClient(await farm.openDoor());
    const ids = [await client.send(['a']), await client.send(Array.from({ length: 256 }, () => 'b'))];
    await encoder.arrived(1);
    encoder.release();
    for (const id of ids) expect((await client.receive(id)).header.dtype).toBe('float32');
    await sdk.setLimits({ texts: 50_000_000 });
    await sdk.close();
  });

  it('waits for Redis, and hears at its deadline that there is none', async () => {
    const door = await farm.openDoor({ redis: 'redis://127.0.0.1:1', timeoutMs: 300 });
    const client = farm.openClient(door);
    expect((await client.encode(['a'])).header).toMatchObject({ error: { code: 'redis_unavailable' } });
    expect(await client.ask('SHOW_CONFIG')).toMatchObject({
      server_version: expect.stringMatching(/^embedfarm: redis_unavailable: /),
      max_seq_len: null,
    });
  });

  it('is answered when it is too long, and its connection cut when it is much too long', async () => {
    await farm.openWorker();
    const door = await farm.openDoor({ maxRequestBytes: 10_000 });
    const client = farm.openClient(door);
    const long = await client.encode(['x'.repeat(20_000)]);
    expect(long.header.error?.message).toBe('20004 bytes of texts, limit is 10000');
    await client.send(['x'.repeat(50_000)]);
    await eventually(() => door.counters.cut === 1);
    // ZeroMQ connects again by itself.
    expect([...(await client.encode(['good'])).values]).toEqual(fakeVector('good'));
  });

  it('is refused where its result would be longer than one may be', async () => {
    await farm.openWorker();
    const client = farm.openClient(await farm.openDoor({ maxResultBytes: 100 }));
    const { header } = await client.encode(Array.from({ length: 7 }, () => 'a'));
    expect(header.error?.message).toBe('the result has 112 bytes, limit is 100');
  });
});

describe('clients that do not keep to the protocol', () => {
  it('are heard and not answered, and change nothing for others', async () => {
    await farm.openWorker();
    const door = await farm.openDoor();
    const [stranger, client] = [farm.openClient(door), farm.openClient(door)];
    await stranger.sendFrames(['one frame']);
    await stranger.sendFrames([stranger.identity, '["a"]', 'no number', '1']);
    await stranger.sendFrames([stranger.identity, '["a"]', '1', '1', 'five']);
    await stranger.sendFrames(['0', 'TERMINATION', '0', '0']);
    await eventually(() => door.counters.terminationsRefused === 1);
    expect(door.counters).toMatchObject({ malformed: 3, requests: 0 });
    expect([...(await client.encode(['good'])).values]).toEqual(fakeVector('good'));
  });

  it('are cut off when a message has no end', async () => {
    await farm.openWorker();
    const door = await farm.openDoor();
    const socket = connect(door.portIn, '127.0.0.1');
    sockets.push(socket);
    const greeting = Buffer.alloc(64);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3]);
    greeting.write('NULL', 12);
    socket.write(greeting);
    for (let frame = 0; frame < 20; frame += 1) socket.write(Buffer.from([1, 1, 0x61]));
    socket.resume();
    await new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
      socket.on('error', () => undefined);
    });
    expect(door.counters.cut).toBe(1);
    expect([...(await farm.openClient(door).encode(['good'])).values]).toEqual(fakeVector('good'));
  });

  it('have no more here than they may, and what is refused says so', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await farm.openWorker(encoder);
    const door = await farm.openDoor({ maxClientRequests: 3 });
    const client = farm.openClient(door);
    const ids: number[] = [];
    for (let request = 0; request < 5; request += 1) ids.push(await client.send([`text ${request}`]));
    for (const id of ids.slice(3)) {
      expect((await client.receive(id)).header).toMatchObject({ error: { code: 'overloaded' } });
    }
    encoder.release();
    for (const id of ids.slice(0, 3)) expect((await client.receive(id)).header.dtype).toBe('float32');
    expect(door.counters.refused).toBe(2);
  });

  it('lose what they do not claim', async () => {
    await farm.openWorker();
    const door = await farm.openDoor({ unclaimedMs: 50 });
    await farm.openClient(door, { listens: false }).send(['a']);
    await eventually(() => door.counters.dropped === 1);
    expect(door.figures()).toMatchObject({ requests: 0, heldBytes: 0 });
  });

  it('do not hold up who reads, when they never read, and lose results only where memory ends', async () => {
    const memory = EmbeddingFarm.inMemory({ dimensions: 16_384 });
    const limits = { maxClientBytes: 15_000_000, maxHeldBytes: 20_000_000 };
    const door = await farm.openDoor({ farm: memory, ...limits });
    const idle = [farm.openClient(door, { readsAhead: false }), farm.openClient(door, { readsAhead: false })];
    for (const one of idle) await one.encode(['subscribed']);
    // Results of 320 KB: what ZeroMQ does not take waits in the door, and then requests wait before it.
    for (let request = 0; request < 100; request += 1) {
      for (const one of idle) await one.send(['a', 'b', 'c', 'd', 'e']);
    }
    await eventually(() => door.figures().heldBytes > 20_000_000, { timeoutMs: 30_000 });
    const client = farm.openClient(door);
    expect((await client.encode(['good'])).header.shape).toEqual([1, 16_384]);
    await eventually(() => door.counters.dropped > 0, { timeoutMs: 30_000 });
    expect(door.figures().heldBytes).toBeLessThan(25_000_000);
    // A client's results may be dropped, its requests are waiting still.
    expect(door.counters.refused).toBe(0);
  });
});

describe('the end of the door', () => {
  it('comes with a TERMINATION where that is allowed', async () => {
    await farm.openWorker();
    const door = await farm.openDoor({ allowTermination: true });
    await farm.openClient(door).sendFrames(['0', 'TERMINATION', '0', '0']);
    await expect(door.closed).resolves.toBeUndefined();
  });

  it('waits for what is under way, and its clients have their results', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await farm.openWorker(encoder);
    const door = await farm.openDoor();
    const client = farm.openClient(door);
    const id = await client.send(['a']);
    await encoder.arrived(1);
    const closed = door.close();
    encoder.release();
    expect([...(await client.receive(id)).values]).toEqual(fakeVector('a'));
    await closed;
    await door.close();
  });

  it('comes after the grace, and tells who has waited', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await farm.openWorker(encoder);
    const door = await farm.openDoor();
    const client = farm.openClient(door);
    const id = await client.send(['a']);
    await encoder.arrived(1);
    const closed = door.close({ graceMs: 50 });
    expect((await client.receive(id)).header).toMatchObject({ error: { code: 'cancelled' } });
    await closed;
    encoder.release();
  });

  it('leaves its ports to the next one, which serves the clients of the last', async () => {
    await farm.openWorker();
    const first = await farm.openDoor();
    const client = farm.openClient(first);
    await client.encode(['a']);
    const { portIn, portOut } = first;
    await first.close();
    await farm.openDoor({ portIn, portOut });
    expect([...(await client.encode(['b'])).values]).toEqual(fakeVector('b'));
  });

  it('is told at the opening when a port is taken or an option is wrong', async () => {
    const { portIn, portOut } = await farm.openDoor();
    await expect(farm.openDoor({ portIn })).rejects.toThrow(`:${portIn}: the port is taken`);
    await expect(farm.openDoor({ portOut })).rejects.toThrow(`:${portOut}: the port is taken`);
    await expect(farm.openDoor({ failures: 'hide' as 'nan' })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });
});
