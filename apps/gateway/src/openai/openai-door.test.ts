import OpenAI, { APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { TestGateway } from '../testing/test-gateway.ts';

let test: TestGateway;
let farm: EmbeddingFarm;
let client: OpenAI;
beforeAll(async () => {
  test = await TestGateway.open();
  await test.openHashWorker({ model: 'org/memory' });
  await test.openGateway();
  farm = await test.connect();
  await test.ready();
  client = new OpenAI({ baseURL: `${test.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => test.close());

const TEXTS = ['First do it', 'then do it right', ''];

describe("OpenAI's own client", () => {
  it('gets the vectors of the SDK bit for bit, as base64, which it asks for, and as floats', async () => {
    const expected = (await farm.encode(TEXTS)).toArrays();
    const packed = await client.embeddings.create({ model: 'org/memory', input: TEXTS });
    const plain = await client.embeddings.create({
      model: 'org/memory',
      input: TEXTS,
      encoding_format: 'float',
    });
    for (const answer of [packed, plain]) {
      expect(answer.data.map(({ embedding }) => Array.from(embedding))).toEqual(expected);
      expect(answer.data.map(({ index }) => index)).toEqual([0, 1, 2]);
      expect(answer).toMatchObject({
        object: 'list',
        model: 'org/memory',
        usage: { prompt_tokens: 5 + 6 + 2, total_tokens: 13 },
      });
    }
  });

  it('takes a lone text, fewer dimensions, a user, and ids of tokens', async () => {
    const one = await client.embeddings.create({
      model: 'org/memory',
      input: 'alone',
      dimensions: 8,
      user: 'me',
    });
    const [vector] = (await farm.encode(['alone'], { dimensions: 8 })).toArrays();
    expect(one.data.map(({ embedding }) => Array.from(embedding))).toEqual([vector]);
    const ids = [[101, 7592], [2088]];
    const lists = await client.embeddings.create({ model: 'org/memory', input: ids });
    const expected = (await farm.encode(ids, { tokens: true })).toArrays();
    expect(lists.data.map(({ embedding }) => Array.from(embedding))).toEqual(expected);
    expect(lists.usage.prompt_tokens).toBe(7);
    const list = await client.embeddings.create({ model: 'org/memory', input: [101, 7592] });
    expect(list.data.map(({ embedding }) => Array.from(embedding))).toEqual(expected.slice(0, 1));
  });

  it('finds the models, with slashes in their names', async () => {
    const models = await client.models.list();
    expect(models.data).toMatchObject([{ id: 'org/memory', object: 'model', owned_by: 'embedfarm' }]);
    expect(await client.models.retrieve('org/memory')).toMatchObject({ id: 'org/memory' });
    await expect(client.models.retrieve('never')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('gets errors that it knows, with the id of the request', async () => {
    const fault: unknown = await client.embeddings
      .create({ model: 'never', input: 'x' })
      .catch((thrown: unknown) => thrown);
    expect(fault).toBeInstanceOf(APIError);
    expect(fault).toMatchObject({
      status: 404,
      code: 'model_not_found',
      type: 'invalid_request_error',
      param: 'model',
      requestID: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('gets more than a chunk in order', async () => {
    const many = Array.from({ length: 700 }, (_, index) => `text ${index}`);
    const { data } = await client.embeddings.create({ model: 'org/memory', input: many });
    const expected = await farm.encode(many);
    expect(data).toHaveLength(700);
    for (const [index, { embedding }] of data.entries())
      expect(embedding).toEqual(Array.from(expected.at(index)));
  });
});

describe('a request for embeddings that is none', () => {
  it.each([
    [{ input: 'x' }, 'model', 'at model'],
    [{ model: 'org/memory' }, 'input', 'at input'],
    [{ model: 'org/memory', input: [] }, 'input', 'input is empty'],
    [{ model: 'org/memory', input: null }, 'input', 'got null'],
    [
      { model: 'org/memory', input: ['a', 7] },
      'input[1]',
      'input[1] must be a string, as the first one is; got number',
    ],
    [
      { model: 'org/memory', input: [[1], 'a'] },
      'input[1]',
      'must be a list of token ids, as the first one is',
    ],
    [{ model: 'org/memory', input: [[1, -1]] }, 'input[0][1]', 'must be the id of a token'],
    [{ model: 'org/memory', input: Array(2_049).fill('x') }, 'input', 'input has 2049 texts, limit is 2048'],
    [{ model: 'org/memory', input: '\ud800' }, 'input', 'holds a lone surrogate'],
    [{ model: 'org/memory', input: 'x', dimensions: 0 }, 'dimensions', 'at dimensions'],
    [
      { model: 'org/memory', input: 'x', dimensions: 25 },
      'dimensions',
      'dimensions is 25, the model "org/memory" has 24',
    ],
    [{ model: 'org/memory', input: 'x', encoding_format: 'hex' }, 'encoding_format', 'at encoding_format'],
    [{ model: 'org/memory', input: 'x', truncation: true }, null, 'truncation'],
    [[], null, 'expected object'],
  ])('is told what is wrong with it: %#', async (body, param, message) => {
    const answer = await test.ask('/v1/embeddings', { body });
    expect(answer).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error', param } } });
    expect(answer.body.error.message).toContain(message);
  });

  it('says how many texts were cut', async () => {
    const answer = await test.ask('/v1/embeddings', {
      body: { model: 'org/memory', input: ['short', 'long '.repeat(600)] },
    });
    expect(answer.headers.get('X-Embedfarm-Truncated')).toBe('1');
    expect(answer.body.usage.prompt_tokens).toBe(3 + 512);
  });
});
