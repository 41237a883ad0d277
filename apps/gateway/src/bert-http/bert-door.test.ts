import type { EmbeddingFarm } from '@embedfarm/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';

let test: TestGateway;
let farm: EmbeddingFarm;
beforeAll(async () => {
  test = await TestGateway.open();
  await test.openHashWorker({ promptNames: ['query'], defaultPromptName: 'query' });
  await test.openGateway();
  farm = await test.connect();
  await test.ready();
});
afterAll(() => test.close());

describe("bert-as-service's POST /encode", () => {
  it('gives the vectors under both names that clients read, and the id as it came', async () => {
    const texts = ['First do it', 'then ||| do it right'];
    const { status, body } = await test.ask('/encode', { body: { id: 123, texts, is_tokenized: false } });
    const vectors = (await farm.encode(['First do it', ['then', 'do it right']])).toArrays();
    expect(status).toBe(200);
    expect(body).toEqual({ id: 123, result: vectors, results: vectors, status: 200 });
  });

  it('takes lists of tokens, also where the model has a prompt of its own', async () => {
    const texts = [
      ['First', 'do', 'it'],
      ['then', '|||', 'right'],
    ];
    const { body } = await test.ask('/encode', { body: { id: 'x', texts, is_tokenized: true } });
    const expected = await farm.encode(
      [
        ['First', 'do', 'it'],
        [['then'], ['right']],
      ],
      { tokens: true, prompt: '' },
    );
    expect(body).toMatchObject({ id: 'x', result: expected.toArrays() });
  });

  it.each([
    [{ id: 1 }, 'at texts'],
    [{ id: 1, texts: [] }, 'at texts'],
    [{ id: 1, texts: [7] }, 'texts[0] must be a string'],
    [
      { id: 1, texts: ['a'], is_tokenized: true },
      'texts[0] must be a list of tokens, as is_tokenized is true',
    ],
    [{ id: 1, texts: [['a', 7]], is_tokenized: true }, 'texts[0][1] must be a string'],
    [{ texts: ['a'], is_tokenized: false }, 'at id'],
    [{ id: {}, texts: ['a'] }, 'at id'],
  ])('says in its own words what is wrong with %j', async (body, message) => {
    const answer = await test.ask('/encode', { body });
    expect(answer).toMatchObject({ status: 400, body: { type: 'invalid_argument', status: 400 } });
    expect(answer.body.description).toContain(message);
  });

  it('leaves to the farm what is the farm’s', async () => {
    const { body } = await test.ask('/encode', { body: { texts: ['a'] } });
    expect(body).toMatchObject({ dtype: 'float32', model: 'memory' });
  });
});

describe('the status of bert-as-service', () => {
  it('has what the farm knows of it, under the names of SHOW_STATUS', async () => {
    const before = await test.ask('/status/server');
    await test.ask('/encode', { body: { id: 1, texts: ['a', 'b'] } });
    const server = await test.ask('/status/server');
    expect(server.body).toMatchObject({
      num_worker: 1,
      max_seq_len: 512,
      server_version: '1.10.0',
      pooling_strategy: 2,
      statistic: {
        num_data_request: before.body.statistic.num_data_request + 1,
        num_total_seq: before.body.statistic.num_total_seq + 2,
        num_total_client: 1,
      },
      farm: { workers: 1, backlog: { interactive: 0, bulk: 0 } },
      status: 200,
    });
    expect(server.body).not.toHaveProperty('port');
    const client = await test.ask('/status/client');
    expect(client.body).toMatchObject({ identity: expect.any(String), status: 200 });
  });
});
