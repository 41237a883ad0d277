import type { EmbeddingFarm } from '@embedfarm/sdk';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';

let test: TestGateway;
let farm: EmbeddingFarm;
let encoder: FakeEncoder;
beforeAll(async () => {
  test = await TestGateway.open();
  encoder = new FakeEncoder();
  await test.openFakeWorker(encoder);
  await test.openGateway();
  farm = await test.connect();
  await test.ready();
});
afterEach(() => encoder.release());
afterAll(() => test.close());

const TEXTS = Array.from({ length: 600 }, (_, index) => (index === 300 ? 'bad text' : `text ${index}`));

async function submit(body: object = {}): Promise<string> {
  const answer = await test.ask('/requests', { body: { texts: TEXTS, ...body } });
  expect(answer.status).toBe(202);
  expect(answer.headers.get('Location')).toBe(`/requests/${answer.body.id}`);
  return answer.body.id;
}

async function submitted(body?: object): Promise<string> {
  const id = await submit(body);
  await farm.request(id).wait();
  return id;
}

async function bytesOf(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const answer = await fetch(test.url + path, { headers, method });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

describe('a request that is submitted over HTTP', () => {
  it('has an id, by which anybody sees how far it is', async () => {
    const id = await submitted({ label: 'many' });
    const { status, body } = await test.ask(`/requests/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, state: 'completed', label: 'many', texts: 600, done: 599, failed: 1 });
    expect(body).not.toHaveProperty('tenant');
  });

  it('gives its rows as lines, from any text on', async () => {
    const id = await submitted();
    const { body, headers } = await test.ask(`/requests/${id}/result`);
    expect(headers.get('Content-Type')).toContain('application/x-ndjson');
    const lines = (body as string)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(600);
    expect(lines[0]).toEqual({ index: 0, embedding: fakeVector('text 0'), tokens: 8, truncated: false });
    expect(lines[300]).toEqual({ index: 300, error: { code: 'internal', message: 'told to fail' } });
    const rest = await test.ask(`/requests/${id}/result?from=598`);
    expect(
      (rest.body as string)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).index),
    ).toEqual([598, 599]);
  });

  it('gives them as a .npy, and any bytes of it', async () => {
    const id = await submitted();
    const path = `/requests/${id}/result?format=npy`;
    const { status, bytes, headers } = await bytesOf(path);
    expect(status).toBe(200);
    expect(bytes).toHaveLength(128 + 600 * 16);
    expect(headers.get('Content-Length')).toBe(String(bytes.length));
    expect(bytes.toString('latin1', 0, 128)).toContain(
      `'descr': '<f4', 'fortran_order': False, 'shape': (600, 4), }`,
    );
    const row = (index: number) =>
      Array.from({ length: 4 }, (_, at) => bytes.readFloatLE(128 + index * 16 + at * 4));
    expect([row(0), row(300), row(599)]).toEqual([
      fakeVector('text 0'),
      [NaN, NaN, NaN, NaN],
      fakeVector('text 599'),
    ]);
    const total = bytes.length;
    for (const [first, last] of [
      [0, 0],
      [100, 130],
      [128, 128 + 256 * 16 - 1],
      [4_200, 4_300],
      [128 + 256 * 16, total - 1],
      [total - 1, total - 1],
    ] as const) {
      const part = await bytesOf(path, { Range: `bytes=${first}-${last}` });
      expect(part.status).toBe(206);
      expect(part.headers.get('Content-Range')).toBe(`bytes ${first}-${last}/${total}`);
      expect(part.bytes.equals(bytes.subarray(first, last + 1))).toBe(true);
    }
    const etag = headers.get('ETag') ?? '';
    expect((await bytesOf(path, { Range: 'bytes=0-1', 'If-Range': etag })).status).toBe(206);
    expect((await bytesOf(path, { Range: 'bytes=0-1', 'If-Range': '"other"' })).status).toBe(200);
    const beyond = await bytesOf(path, { Range: `bytes=${total}-` });
    expect([beyond.status, beyond.headers.get('Content-Range')]).toEqual([416, `bytes */${total}`]);
    const head = await bytesOf(path, {}, 'HEAD');
    expect([head.status, head.headers.get('Content-Length')]).toEqual([200, String(total)]);
  });

  it('tells how far it is while it goes on, and that it has ended', async () => {
    encoder.hold();
    const before = encoder.calls.length;
    const id = await submit();
    await encoder.arrived(before + 1);
    const answer = await fetch(`${test.url}/requests/${id}/events`);
    expect(answer.headers.get('Content-Type')).toContain('text/event-stream');
    let text = '';
    for await (const bytes of answer.body ?? []) {
      text += Buffer.from(bytes).toString();
      if (text.includes('event: progress')) encoder.release();
    }
    const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event, data = '']) => [
      event,
      JSON.parse(data).done,
    ]);
    expect(events[0]).toEqual(['progress', 0]);
    expect(events.at(-1)).toEqual(['end', 599]);
    expect(text).toMatch(/^retry: 2000\n\n/);
  });

  it('is taken back, and gives as a .npy no more than its end', async () => {
    encoder.hold();
    const before = encoder.calls.length;
    const id = await submit();
    await encoder.arrived(before + 1);
    const early = await test.ask(`/requests/${id}/result?format=npy`);
    expect(early.status).toBe(400);
    expect(early.body.error.message).toContain('npy is there at its end, jsonl before');
    const taken = await test.ask(`/requests/${id}`, { method: 'DELETE' });
    expect(taken).toMatchObject({ status: 200, body: { id, state: 'cancelled' } });
    encoder.release();
    await farm.request(id).wait();
    const none = await test.ask(`/requests/${id}/result?format=npy`);
    expect(none.body.error.message).toContain('no text of the request has a vector');
  });

  it.each([
    ['/requests/0-none-1', 410, 'there is no request 0-none-1'],
    ['/requests/0-none-1/result', 410, 'there is no request'],
    ['/requests/0-none-1/events', 410, 'there is no request'],
    ['/requests/%00', 400, 'request id'],
    ['/requests/%zz', 400, 'malformed'],
  ])('is not made up: %s', async (path, status, message) => {
    const answer = await test.ask(path);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(message);
  });

  it.each([
    [{ texts: ['a'], webhook: 'file:///etc/passwd' }, 'at webhook'],
    [{ texts: ['a'], label: '' }, 'at label'],
    [{ texts: ['a'], onProgress: 1 }, 'onProgress'],
    [{ texts: [] }, 'at texts'],
  ])('is refused where it is none: %j', async (body, message) => {
    const answer = await test.ask('/requests', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(message);
    expect(await test.ask('/requests/x/result?format=csv')).toMatchObject({ status: 400 });
  });
});
