import type { EmbeddingFarm } from '@embedfarm/sdk';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';

let test: TestGateway;
let farm: EmbeddingFarm;
beforeAll(async () => {
  test = await TestGateway.open();
  await test.openHashWorker({ promptNames: ['query'] });
  await test.openFakeWorker(new FakeEncoder());
  await test.openGateway({ model: 'memory' });
  farm = await test.connect();
  await test.ready();
});
afterAll(() => test.close());

const encode = (body: object, accept = 'application/json') =>
  test.ask('/encode', { body, headers: { Accept: accept } });

describe('POST /encode', () => {
  it('gives what the SDK gives, as JSON', async () => {
    const texts = ['a text', ['a', 'pair'], ''];
    const { status, body } = await encode({ texts, returnTokens: true });
    const expected = await farm.encode(['a text', ['a', 'pair'], ''], {
      model: 'memory',
      returnTokens: true,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      model: 'memory',
      dimensions: 24,
      dtype: 'float32',
      embeddings: expected.toArrays(),
      receipts: expected.receipts,
      tokens: expected.tokens,
      timing: expect.objectContaining({ totalMs: expect.any(Number) }),
    });
  });

  it('takes the options of the SDK', async () => {
    const options = {
      dtype: 'int8',
      dimensions: 8,
      promptName: 'query',
      truncate: 'start',
      cache: true,
    } as const;
    const { body } = await encode({ texts: ['a text'], ...options, lane: 'bulk', timeoutMs: 30_000 });
    const expected = await farm.encode(['a text'], { ...options, model: 'memory' });
    expect(body).toMatchObject({ dtype: 'int8', dimensions: 8, embeddings: expected.toArrays() });
    const lists = await encode({ texts: [[5, 6], ['a']], tokens: true });
    const tokens = await farm.encode([[5, 6], ['a']], { tokens: true, model: 'memory' });
    expect(lists.body.embeddings).toEqual(tokens.toArrays());
  });

  it.each([
    ['float32', 24, 96],
    ['float16', 24, 48],
    ['int8', 24, 24],
    ['binary', 3, 3],
  ] as const)('gives the bytes of %s, little-endian, with their shape', async (dtype, columns, width) => {
    const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
    const answer = await fetch(`${test.url}/encode`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/octet-stream' },
      body: JSON.stringify({ texts, dtype }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('X-Embedfarm-Shape')).toBe(`300,${columns}`);
    expect(answer.headers.get('X-Embedfarm-Dtype')).toBe(dtype === 'binary' ? 'uint8' : dtype);
    expect(answer.headers.get('X-Embedfarm-Tokens')).toBe('1200');
    const bytes = Buffer.from(await answer.arrayBuffer());
    const expected = await farm.encode(texts, { dtype, model: 'memory' });
    expect(bytes.length).toBe(300 * width);
    for (const index of [0, 255, 256, 299]) {
      expect(bytes.subarray(index * width, (index + 1) * width)).toEqual(
        Buffer.from(expected.bytesAt(index)),
      );
    }
  });

  it('gives good rows beside those that failed in JSON, which has a place for them, and an error in bytes', async () => {
    const texts = ['good', 'bad text'];
    const { status, body } = await encode({ model: 'fake', texts });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      embeddings: [expect.any(Array), null],
      errors: [{ index: 1, code: 'internal', message: 'told to fail' }],
    });
    const all = await encode({ model: 'fake', texts: ['bad text'] });
    expect(all).toMatchObject({ status: 500, body: { error: { code: 'internal' } } });
    const bytes = await encode({ model: 'fake', texts }, 'application/octet-stream');
    expect(bytes).toMatchObject({ status: 500, body: { error: { message: 'texts[1]: told to fail' } } });
  });

  it.each([
    [{}, 'at texts'],
    [{ texts: [] }, 'at texts'],
    [{ texts: 'a text' }, 'at texts'],
    [{ texts: ['a', 7] }, 'texts[1] must be a string or a pair of strings, got number'],
    [{ texts: ['a'], dtype: 'float64' }, 'at dtype'],
    [{ texts: ['a'], signal: {} }, 'signal'],
    [{ texts: ['a'], model: 'a:b' }, 'at model'],
    [{ texts: ['a'], promptName: 'none' }, 'the prompts of the model "memory" are: query'],
    [{ texts: Array(8_193).fill('') }, 'at texts'],
  ])('refuses what is none: %#', async (body, message) => {
    const answer = await encode(body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_argument' } } });
    expect(answer.body.error.message).toContain(message);
  });
});
