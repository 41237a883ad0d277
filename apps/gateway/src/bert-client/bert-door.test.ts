import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeTokens, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BertTestFarm } from '../testing/bert-test-farm.ts';
import { RECORDED_CLIENT, RECORDED_REQUESTS } from '../testing/recorded-requests.ts';
import type { BertTestClient, TestResult } from '../testing/bert-test-client.ts';

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

function rowsOf({ header: { shape }, values }: TestResult): number[][] {
  const [rows = 0, width = 0] = shape;
  return Array.from({ length: rows }, (_, row) =>
    Array.from(values.subarray(row * width, (row + 1) * width)),
  );
}

function texts(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `text ${from + index}`);
}

async function receiveMany(client: BertTestClient, count: number): Promise<Map<number, TestResult>> {
  const results = new Map<number, TestResult>();
  while (results.size < count) {
    const result = await client.receive();
    results.set(result.requestId, result);
  }
  return results;
}

describe('the door', () => {
  it('answers what BertClient 1.10.0 sent when it was recorded, byte for byte as it reads it', async () => {
    await farm.openWorker();
    const door = await farm.openDoor({ showTokens: true });
    const client = farm.openClient(door, { identity: RECORDED_CLIENT });
    for (const frames of RECORDED_REQUESTS) {
      await client.sendFrames(frames.map((frame) => Buffer.from(frame, 'latin1')));
    }
    const results = await receiveMany(client, RECORDED_REQUESTS.length);
    const pairs = [['what is it', 'a test']] as const;
    const tokens = [
      ['First', 'do', 'it'],
      [['a'], ['b']],
    ] as const;
    const wanted = [
      [2, ['First do it', 'then do it right']],
      [3, ['你好么？ "quoted" \\ naïve 😀']],
      [4, pairs],
      [5, tokens],
      [6, ['one']],
      [7, ['two', 'three']],
    ] as const;
    for (const [id, of] of wanted) {
      const result = results.get(id);
      const vectors = of.map(fakeVector);
      expect(result?.frames).toEqual([
        Buffer.from(RECORDED_CLIENT),
        Buffer.from(JSON.stringify({ dtype: 'float32', shape: [of.length, 4], tokens: of.map(fakeTokens) })),
        Buffer.from(Float32Array.from(vectors.flat()).buffer),
        Buffer.from(String(id)),
      ]);
    }
    const config = JSON.parse(String(results.get(1)?.frames[1])) as object;
    expect(config).toMatchObject({
      server_version: '1.10.0',
      max_seq_len: 512,
      show_tokens_to_client: true,
      pooling_strategy: 2,
      port: door.portIn,
      port_out: door.portOut,
    });
    const status = JSON.parse(String(results.get(8)?.frames[1])) as object;
    expect(status).toMatchObject({
      statistic: { num_data_request: 6, num_total_seq: 9, num_sys_request: 2, num_total_client: 1 },
      farm: { workers: 1 },
    });
    expect(door.counters).toMatchObject({ requests: 6, questions: 2, texts: 9, results: 8, malformed: 0 });
  });

  it('says "" for tokens where they are not to be shown', async () => {
    await farm.openWorker();
    const client = farm.openClient(await farm.openDoor());
    expect((await client.encode(['a'])).header).toEqual({ dtype: 'float32', shape: [1, 4], tokens: '' });
    expect(await client.ask('SHOW_CONFIG')).toMatchObject({ show_tokens_to_client: false });
  });

  it('gives a large request its rows in order, and a small one of another client its turn', async () => {
    const encoder = new FakeEncoder();
    await farm.openWorker(encoder);
    const door = await farm.openDoor();
    const [large, small] = [farm.openClient(door), farm.openClient(door)];
    const many = texts(20_000);
    const id = await large.send(many);
    await encoder.arrived(1);
    expect(rowsOf(await small.encode(['a']))).toEqual([fakeVector('a')]);
    expect(rowsOf(await large.receive(id))).toEqual(many.map(fakeVector));
  });

  it('answers requests as they get done: a small one need not wait for a large one before it', async () => {
    const encoder = new FakeEncoder();
    encoder.holdTexts(['text 0']);
    await farm.openWorker(encoder);
    const client = farm.openClient(await farm.openDoor());
    const large = await client.send(texts(600));
    const small = await client.send(['small']);
    expect((await client.receive()).requestId).toBe(small);
    encoder.release();
    expect((await client.receive()).requestId).toBe(large);
  });

  it('loses none of 6,000 results that a client does not read before it has sent all', async () => {
    await farm.openWorker();
    const door = await farm.openDoor();
    const client = farm.openClient(door);
    for (let request = 0; request < 6_000; request += 1) await client.send([`text ${request}`]);
    const results = await receiveMany(client, 6_000);
    for (const [id, result] of results) expect(rowsOf(result)).toEqual([fakeVector(`text ${id - 1}`)]);
    expect(door.counters).toMatchObject({ dropped: 0, refused: 0 });
    expect(door.figures()).toMatchObject({ requests: 0, clients: 0, heldBytes: 0 });
  });

  it('keeps the first result for a client that subscribes late', async () => {
    await farm.openWorker();
    const door = await farm.openDoor();
    const client = farm.openClient(door, { listens: false });
    const id = await client.send(['a']);
    await eventually(() => door.counters.texts === 1);
    expect(door.counters.results).toBe(0);
    client.listen();
    expect(rowsOf(await client.receive(id))).toEqual([fakeVector('a')]);
  });

  it('gives every listener of an identity all its results', async () => {
    await farm.openWorker();
    const door = await farm.openDoor();
    const sender = farm.openClient(door, { identity: 'shared' });
    const other = farm.openClient(door, { identity: 'shared' });
    // Who has heard something has subscribed.
    await Promise.all([sender.encode(['a']), other.encode(['a'])]);
    const id = await sender.send(['b']);
    expect((await other.receive(id)).frames).toEqual((await sender.receive(id)).frames);
  });

  it('tells how long texts may be, so that the client warns of longer ones', async () => {
    await farm.openWorker(new FakeEncoder(), { maxSequenceLength: 25 });
    const client = farm.openClient(await farm.openDoor());
    expect(await client.ask('SHOW_CONFIG')).toMatchObject({ max_seq_len: 25 });
  });

  it('answers SHOW_CONFIG as soon as there is a model', async () => {
    const client = farm.openClient(await farm.openDoor({ model: 'late' }));
    const answer = client.ask('SHOW_CONFIG');
    await farm.openWorker(new FakeEncoder(), { model: 'late', fingerprint: 'late-1' });
    expect(await answer).toMatchObject({ server_version: '1.10.0', model: 'late' });
  });
});
