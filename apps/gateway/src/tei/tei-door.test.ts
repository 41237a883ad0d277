import type { EmbeddingFarm } from '@embedfarm/sdk';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';

let test: TestGateway;
let farm: EmbeddingFarm;
beforeAll(async () => {
  test = await TestGateway.open();
  await test.openHashWorker({ promptNames: ['query'], normalize: false });
  await test.openFakeWorker(new FakeEncoder());
  await test.openGateway({ model: 'memory' });
  farm = await test.connect();
  await test.ready();
});
afterAll(() => test.close());

const LONG = 'long '.repeat(600);

describe("TEI's POST /embed", () => {
  it('gives normalized vectors where nothing else is asked for, of one text too', async () => {
    const expected = await farm.encode(['a text', 'another'], { model: 'memory', normalize: true });
    const { status, body, headers } = await test.ask('/embed', { body: { inputs: ['a text', 'another'] } });
    expect(status).toBe(200);
    expect(body).toEqual(expected.toArrays());
    expect(headers.get('X-Compute-Tokens')).toBe('7');
    expect((await test.ask('/embed', { body: { inputs: 'a text' } })).body).toEqual([
      Array.from(expected.at(0)),
    ]);
  });

  it.each([
    [{ inputs: 'a text', normalize: false }, ['a text'], { normalize: false }],
    [
      { inputs: 'a text', dimensions: 8, prompt_name: 'query' },
      ['a text'],
      { dimensions: 8, promptName: 'query' },
    ],
    [{ inputs: LONG, truncation_direction: 'Left' }, [LONG], { truncate: 'start' }],
    [{ inputs: LONG, truncate: null, truncation_direction: null, model: 'passed over' }, [LONG], {}],
    [{ inputs: [5, 6] }, [[5, 6]], { tokens: true }],
    [{ inputs: [[5, 6], [7]] }, [[5, 6], [7]], { tokens: true }],
  ] as const)('takes its options: %#', async (body, texts, options) => {
    const expected = await farm.encode(texts, { model: 'memory', normalize: true, ...options });
    expect((await test.ask('/embed', { body })).body).toEqual(expected.toArrays());
  });

  it.each([
    [{}, 422, 'at inputs'],
    [{ inputs: null }, 422, 'inputs must be a string or a list, got null'],
    [{ inputs: [] }, 422, 'inputs is empty'],
    [{ inputs: ['a', 7] }, 422, 'inputs[1] must be a string'],
    [{ inputs: Array(2_049).fill('a') }, 422, 'limit is 2048'],
    [{ inputs: 'a', normalize: 'yes' }, 422, 'at normalize'],
    [{ inputs: 'a', dimensions: 25 }, 422, 'dimensions is 25'],
    [{ inputs: 'a', prompt_name: 'none' }, 422, 'the prompts of the model "memory" are: query'],
    [{ inputs: LONG, truncate: false }, 422, 'the text has 602 tokens, limit is 512'],
  ])('says in its own words what is wrong: %#', async (body, status, message) => {
    const answer = await test.ask('/embed', { body });
    expect(answer).toMatchObject({ status, body: { error_type: 'Validation' } });
    expect(answer.body.error).toContain(message);
  });
});

describe('the other paths of TEI', () => {
  it('say what the model is, and whether a worker serves it', async () => {
    const { body } = await test.ask('/info');
    expect(body).toMatchObject({
      model_id: 'memory',
      model_dtype: 'float32',
      model_type: { embedding: { pooling: 'mean' } },
      max_input_length: 512,
      max_client_batch_size: 2_048,
      auto_truncate: true,
    });
    expect((await test.ask('/health')).status).toBe(200);
  });

  it('tell tokens as the vocabulary writes them', async () => {
    const { body } = await test.ask('/tokenize', { body: { inputs: ['a text'] } });
    expect(body).toEqual([
      ['[CLS]', 'a', 'text', '[SEP]'].map((text) => ({
        id: null,
        text,
        special: text.startsWith('['),
        start: null,
        stop: null,
      })),
    ]);
    const plain = await test.ask('/tokenize', { body: { inputs: 'a text', add_special_tokens: false } });
    expect(plain.body[0].map(({ text }: { text: string }) => text)).toEqual(['a', 'text']);
  });

  it('refuse a vector a token of a model that pools', async () => {
    const answer = await test.ask('/embed_all', { body: { inputs: 'a text' } });
    expect(answer).toMatchObject({ status: 422, body: { error_type: 'Validation' } });
    expect(answer.body.error).toContain('the model "memory" gives a vector a text (mean)');
  });

  it('ask for a model where the farm serves several and the gateway names none', async () => {
    await test.openGateway();
    await test.ready();
    expect((await test.ask('/info')).body.error).toContain('start the gateway with --model');
    expect((await test.ask('/health')).status).toBe(422);
  });
});
