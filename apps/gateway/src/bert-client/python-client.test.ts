import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BertTestFarm } from '../testing/bert-test-farm.ts';
import { ensurePythonClient, runPython } from '../testing/python-client.ts';

const SESSION = new URL('../testing/bert_client_session.py', import.meta.url);
const LIMIT_MS = 300_000;

let farm: BertTestFarm;
let whyNot: string | undefined;

beforeAll(async () => {
  whyNot = await ensurePythonClient();
  if (whyNot !== undefined) console.warn(`NOT TESTED, the original Python client: ${whyNot}`);
  farm = await BertTestFarm.open();
}, LIMIT_MS);
afterAll(async () => {
  await farm.close();
});

it(
  'serves the unmodified BertClient 1.10.0 in all that it does',
  async ({ skip }) => {
    if (whyNot !== undefined) skip(whyNot);
    await farm.openWorker(new FakeEncoder(), { maxSequenceLength: 25 });
    const door = await farm.openDoor({ showTokens: true });
    const { code, output, errors } = await runPython(SESSION, door.portIn, door.portOut);
    expect(code, errors).toBe(0);
    expect(JSON.parse(output)).toEqual({
      array: ['ndarray', 'float32', [2, 4], [fakeVector('a'), fakeVector('bbb')]],
      tokenized: [fakeVector(['ab', 'cd']), fakeVector([['e'], ['f']])],
      tokens: [
        ['one', 'two'],
        ['what', 'ever'],
      ],
      unicode: [fakeVector('naïve 你好 😀')],
      fetched: [
        [6, 1],
        [7, 2],
        [8, 3],
      ],
      fetch_all: [[1], [2, 2], [3, 3, 3]],
      concatenated: [1, 2, 2, 3, 3, 3],
      'nothing to fetch': null,
      async: [1, 2, 3, 4, 5],
      'async limited': 4,
      many: true,
      warning: expect.stringContaining('max_seq_len=25'),
      error: [
        'TypeError',
        "data type 'embedfarm: texts_failed: 1 of 2 texts failed; first texts[1]: [internal] told to fail' not understood",
      ],
      'after the error': [fakeVector('a')],
      config: { server_version: '1.10.0', max_seq_len: 25, pooling_strategy: 2 },
      statistic: 1,
      status: { num_pending_request: 0, client_version: '1.10.0' },
      list: [fakeVector('a')],
      named: [fakeVector('a')],
      unchecked: [fakeVector('a')],
      concurrent: ['done', 'done', 'done', 'done'],
      'concurrent config': '1.10.0',
    });
    expect(door.counters).toMatchObject({ malformed: 0, dropped: 0, refused: 0, cut: 0 });
  },
  LIMIT_MS,
);
