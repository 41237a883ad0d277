import type { EmbeddingFarm } from '@embedfarm/sdk';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { eventually } from '@embedfarm/testkit/eventually';
import type { RunningGateway } from '../gateway.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { batchLine, BatchClient } from '../testing/batch-client.ts';
import { TestGateway } from '../testing/test-gateway.ts';

let test: TestGateway;
beforeAll(async () => {
  test = await TestGateway.open();
});
afterEach(() => test.rest());
afterAll(() => test.close());

async function connect(): Promise<{ gateway: RunningGateway; client: BatchClient; farm: EmbeddingFarm }> {
  const gateway = await test.openGateway();
  await test.ready();
  return { gateway, client: new BatchClient(test.url), farm: await test.connect() };
}

function float32(base64: string): number[] {
  const { buffer, byteOffset, byteLength } = new Uint8Array(Buffer.from(base64, 'base64'));
  return Array.from(new Float32Array(buffer, byteOffset, byteLength / 4));
}

describe("a batch of OpenAI's own client", () => {
  it('gives what each of its calls would have given, bit for bit, and says which failed', async () => {
    await test.openHashWorker();
    const { client, farm } = await connect();
    const model = 'memory';
    const input = [
      batchLine('one', { model, input: 'a text' }),
      '\n',
      batchLine('packed', { model, input: ['b', 'c'], encoding_format: 'base64' }),
      batchLine('short', { model, input: ['d'], dimensions: 8 }),
      batchLine('ids', { model, input: [[101, 7592], [2088]] }),
      batchLine('no model', { model: 'never', input: 'x' }),
      batchLine('no text', { model, input: [] }),
      batchLine('too wide', { model, input: 'x', dimensions: 25 }),
      batchLine('ünïcode', { model, input: 'last', user: 'me' }).trimEnd(),
    ].join('');
    const { openai } = client;
    const uploaded = await openai.files.create({
      file: new File([input], 'calls.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 7_200 },
    });
    expect(uploaded).toMatchObject({
      object: 'file',
      filename: 'calls.jsonl',
      purpose: 'batch',
      bytes: Buffer.byteLength(input),
      expires_at: uploaded.created_at + 7_200,
    });
    expect(await (await openai.files.content(uploaded.id)).text()).toBe(input);
    const created = await openai.batches.create({
      input_file_id: uploaded.id,
      endpoint: '/v1/embeddings',
      completion_window: '24h',
      metadata: { of: 'a test' },
    });
    expect(created).toMatchObject({
      object: 'batch',
      status: 'validating',
      expires_at: created.created_at + 86_400,
      request_counts: { total: 0, completed: 0, failed: 0 },
    });
    const batch = await client.until(created.id, 'completed');
    expect(batch).toMatchObject({
      request_counts: { total: 8, completed: 5, failed: 3 },
      metadata: { of: 'a test' },
      errors: null,
      model,
    });
    const output = await client.lines(batch.output_file_id);
    const byId = new Map(output.map((line) => [line.custom_id, line]));
    expect(output).toHaveLength(5);
    const expected = {
      one: await farm.encode(['a text']),
      packed: await farm.encode(['b', 'c']),
      short: await farm.encode(['d'], { dimensions: 8 }),
      ids: await farm.encode([[101, 7592], [2088]], { tokens: true, prompt: '' }),
      ünïcode: await farm.encode(['last']),
    };
    let tokens = 0;
    for (const [id, embeddings] of Object.entries(expected)) {
      const { body, status_code } = byId.get(id)?.response ?? {};
      expect(status_code).toBe(200);
      const vectors = body.data.map(({ embedding }: { embedding: string | number[] }) =>
        typeof embedding === 'string' ? float32(embedding) : embedding,
      );
      expect(vectors, id).toEqual(embeddings.toArrays());
      expect(body).toMatchObject({ object: 'list', model });
      const own = embeddings.receipts.reduce((sum, receipt) => sum + receipt.tokens, 0);
      expect(body.usage).toEqual({ prompt_tokens: own, total_tokens: own });
      tokens += own;
    }
    expect(typeof byId.get('packed')?.response?.body.data[0].embedding).toBe('string');
    expect(batch.usage).toMatchObject({ input_tokens: tokens, output_tokens: 0, total_tokens: tokens });
    const errors = await client.lines(batch.error_file_id);
    expect(errors).toMatchObject([
      { custom_id: 'no model', response: { status_code: 404, body: { error: { code: 'model_not_found' } } } },
      { custom_id: 'no text', response: { status_code: 400, body: { error: { param: 'input' } } } },
      { custom_id: 'too wide', response: { status_code: 400, body: { error: { param: 'dimensions' } } } },
    ]);
  });

  it('lists files and batches by pages, and lets go of what is deleted, results too', async () => {
    await test.openHashWorker();
    const { client, farm } = await connect();
    const { openai } = client;
    const ids: string[] = [];
    for (const text of ['a', 'b', 'c']) {
      ids.push((await client.create(batchLine(text, { model: 'memory', input: text }))).id);
    }
    const listed = [];
    for await (const { id } of await openai.batches.list({ limit: 2 })) listed.push(id);
    expect(listed.slice(0, 3)).toEqual(ids.toReversed());
    const [id = ''] = ids;
    const batch = await client.until(id, 'completed');
    const outputs = [];
    for await (const file of await openai.files.list({ purpose: 'batch_output', order: 'asc', limit: 1 })) {
      outputs.push(file.id);
    }
    expect(outputs).toContain(batch.output_file_id);
    const { output_file_id: output = '', input_file_id: input } = batch;
    const { bytes } = await openai.files.retrieve(output);
    expect((await (await openai.files.content(output)).arrayBuffer()).byteLength).toBe(bytes);
    const [request] = await farm.requests({ label: id });
    expect(request).toMatchObject({ state: 'completed', texts: 1 });
    for (const file of [output, input]) {
      expect(await openai.files.delete(file)).toMatchObject({ id: file, deleted: true });
      await expect(openai.files.retrieve(file)).rejects.toMatchObject({ status: 404 });
    }
    expect(await farm.request(request?.id ?? '').status()).toMatchObject({ state: 'expired' });
    await expect(openai.batches.retrieve('batch_none')).rejects.toMatchObject({ status: 404 });
  });

  it('of more texts than a chunk, some to a line, comes out in the order of the lines', async () => {
    await test.openHashWorker();
    const { client, farm } = await connect();
    const lines = Array.from({ length: 3_000 }, (_, at) =>
      batchLine(`line ${at}`, {
        model: 'memory',
        input: at % 3 === 0 ? [`${at} a`, `${at} b`] : `${at}`,
        encoding_format: 'base64',
      }),
    );
    const { id } = await client.create(lines.join(''));
    const batch = await client.until(id, 'completed');
    expect(batch.request_counts).toEqual({ total: 3_000, completed: 3_000, failed: 0 });
    const output = await client.lines(batch.output_file_id);
    expect(output.map(({ custom_id }) => custom_id)).toEqual(lines.map((_, at) => `line ${at}`));
    for (const at of [0, 1, 1_299, 2_997, 2_999]) {
      const texts = at % 3 === 0 ? [`${at} a`, `${at} b`] : [`${at}`];
      const vectors = output[at]?.response?.body.data.map(({ embedding }: { embedding: string }) =>
        float32(embedding),
      );
      expect(vectors).toEqual((await farm.encode(texts)).toArrays());
    }
  });
});

describe('an input that is no list of calls', () => {
  it.each([
    ['', 'empty_file', null],
    [`${batchLine('a', { input: 'x' })}{"custom_id":`, 'invalid_line', 2],
    [batchLine('', { input: 'x' }), 'invalid_line', 1],
    [batchLine('a', {}) + batchLine('b', {}) + batchLine('a', {}), 'duplicate_custom_id', 3],
    [batchLine('a', {}).replace('/v1/embeddings', '/v1/chat/completions'), 'invalid_line', 1],
    [batchLine('a', {}).replace('POST', 'GET'), 'invalid_line', 1],
    [batchLine('a', { input: 'x'.repeat(4_200_000) }), 'invalid_line', null],
  ])('ends as failed, and says where: %#', async (input, code, line) => {
    await test.openHashWorker();
    const { client } = await connect();
    const { id } = await client.create(input);
    const batch = await client.until(id, 'failed', 'completed');
    expect(batch.status).toBe('failed');
    expect(batch.errors?.data?.[0]).toMatchObject({ code, line });
    expect(batch.failed_at).toBeGreaterThan(0);
    expect([batch.output_file_id, batch.error_file_id]).toEqual([null, null]);
  });

  it('that is gone before it was read fails too', async () => {
    await test.openGateway();
    const client = new BatchClient(test.url);
    const input = await client.upload(batchLine('a', { model: 'memory', input: 'a' }));
    await expect(
      client.openai.batches.create({
        input_file_id: 'file-none',
        endpoint: '/v1/embeddings',
        completion_window: '24h',
      }),
    ).rejects.toMatchObject({ status: 400, param: 'input_file_id' });
    await expect(
      client.openai.batches.create({
        input_file_id: input,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      }),
    ).rejects.toMatchObject({ status: 400, param: 'endpoint' });
  });
});

describe('a batch that is not let to its end', () => {
  const input = (count: number) =>
    Array.from({ length: count }, (_, at) => batchLine(`${at}`, { model: 'fake', input: `text ${at}` })).join(
      '',
    );

  it('that is cancelled keeps what is done, and says of the rest that it was not', async () => {
    const encoder = new FakeEncoder();
    await test.openFakeWorker(encoder);
    const { client, farm } = await connect();
    // The first chunk is done, the next is held.
    encoder.holdTexts(['text 256']);
    const { id } = await client.create(input(300));
    await eventually(async () => ((await farm.requests({ label: id }))[0]?.done ?? 0) === 256);
    const asked = await client.openai.batches.cancel(id);
    expect(asked.status).toBe('cancelling');
    expect(asked.cancelling_at).toBeGreaterThan(0);
    const batch = await client.until(id, 'cancelled');
    expect(batch.request_counts).toEqual({ total: 300, completed: 256, failed: 44 });
    expect(await client.lines(batch.output_file_id)).toHaveLength(256);
    const errors = await client.lines(batch.error_file_id);
    expect(errors[0]).toMatchObject({
      custom_id: '256',
      response: null,
      error: { code: 'batch_cancelled' },
    });
    await expect(client.openai.batches.cancel(id)).rejects.toMatchObject({ status: 400 });
    encoder.release();
  });

  it('whose time is over has expired, with what was done', async () => {
    const encoder = new FakeEncoder();
    await test.openFakeWorker(encoder);
    const { client } = await connect();
    encoder.holdTexts(['text 256']);
    const { id } = await client.create(input(300), '2s');
    const batch = await client.until(id, 'expired');
    expect(batch.request_counts).toEqual({ total: 300, completed: 256, failed: 44 });
    expect((await client.lines(batch.error_file_id))[0]?.error).toMatchObject({ code: 'batch_expired' });
    encoder.release();
  });

  it('with a text that fails has that line among its errors, as the call would have said it', async () => {
    await test.openFakeWorker();
    const { client } = await connect();
    const { id } = await client.create(
      batchLine('good', { model: 'fake', input: ['a', 'b'] }) +
        batchLine('bad', { model: 'fake', input: ['a', 'bad text'] }),
    );
    const batch = await client.until(id, 'completed');
    const [good] = await client.lines(batch.output_file_id);
    expect(good?.response?.body.data.map(({ embedding }: { embedding: number[] }) => embedding)).toEqual(
      ['a', 'b'].map(fakeVector),
    );
    expect(await client.lines(batch.error_file_id)).toMatchObject([
      { custom_id: 'bad', response: { status_code: 500, body: { error: { type: 'server_error' } } } },
    ]);
  });
});

describe('a gateway that goes', () => {
  it('while a request is being filled leaves its batch to the next one', async () => {
    const encoder = new FakeEncoder();
    await test.openFakeWorker(encoder);
    const { gateway, client, farm } = await connect();
    const { texts } = await farm.limits();
    await farm.setLimits({ texts: 1_000 });
    encoder.hold();
    const lines = Array.from({ length: 2_500 }, (_, at) =>
      batchLine(`${at}`, { model: 'fake', input: `${at}`, encoding_format: 'base64' }),
    );
    const { id } = await client.create(lines.join(''));
    const first = await eventually(async () => (await farm.requests({ label: id }))[0]);
    expect(first.state).toBe('filling');
    await gateway.close({ graceMs: 0 });
    const heir = new BatchClient((await test.openGateway()).url);
    encoder.release();
    const batch = await heir.until(id, 'completed');
    expect(batch.request_counts).toEqual({ total: 2_500, completed: 2_500, failed: 0 });
    expect(await heir.lines(batch.output_file_id)).toHaveLength(2_500);
    expect(await farm.request(first.id).status()).toMatchObject({ state: 'cancelled' });
    await farm.setLimits({ texts });
  });
});
