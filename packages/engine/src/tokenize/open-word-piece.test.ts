import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec, type ModelSpec } from '../model/model-spec.ts';
import { nativeIds, openBothWays, specWith } from './word-piece.fixture.ts';

let directory: string;
let tiny: ModelSpec;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'open-word-piece-'));
  tiny = await readModelSpec(await writeTinyModel(join(directory, 'tiny')));
});
afterAll(() => rm(directory, { recursive: true }));

describe('The fast path', () => {
  it('finds added tokens in a text, the longest first, even inside of a word', async () => {
    const path = join(directory, 'added.json');
    const { fast, native } = await openBothWays(
      await specWith(tiny, { path, content: withAdded([{}, { content: 'ne' }, { content: 'net' }]) }),
    );
    const texts = ['one', 'onet two', '[SEP] one[SEP]two', '[SEP', '[sep]', 'é[SEP]\u0301', '\u0000[SEP]'];
    const expected = await nativeIds(native, texts);
    expect(texts.map((text) => [...(fast.encode(text, Infinity) ?? [])])).toEqual(expected);
    expect(expected[0]).toEqual([5, 7]);
  });

  it('leaves texts that may hold an added token with conditions to the library', async () => {
    const path = join(directory, 'conditions.json');
    const added = [
      {},
      { content: '<mask>', lstrip: true },
      { content: '≠', normalized: true },
      { content: '<m' },
    ];
    const { fast, native } = await openBothWays(await specWith(tiny, { path, content: withAdded(added) }));
    const left = ['one <mask>', 'one < two', '1 = 2', '1 ≠ 2', '1 ≮ 2'];
    expect(left.map((text) => fast.encode(text, Infinity))).toEqual(left.map(() => undefined));
    expect([[...(fast.encode('one [SEP]', Infinity) ?? [])]]).toEqual(await nativeIds(native, ['one [SEP]']));
  });

  it("is not there for a pipeline that is not exactly BERT's", async () => {
    const changes: object[] = [
      { normalizer: { type: 'Lowercase' } },
      { normalizer: null },
      { pre_tokenizer: { type: 'Whitespace' } },
      { added_tokens: [token({ content: ' one', normalized: true })] },
    ];
    for (const [index, change] of changes.entries()) {
      const path = join(directory, `other-${index}.json`);
      const content = JSON.stringify({ ...(JSON.parse(withAdded([{}])) as object), ...change });
      await expect(openBothWays(await specWith(tiny, { path, content }))).rejects.toThrow(/no fast path/);
    }
  });
});

const token = (changes: object): object => ({
  id: 2,
  content: '[SEP]',
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
  ...changes,
});

/** A tokenizer.json with these added tokens. */
function withAdded(added: readonly object[]): string {
  const words = ['[UNK]', '[CLS]', '[SEP]', 'one', 'two', 'o', '##t', 'ne', 'net', '<mask>', '≠', '<m'];
  return JSON.stringify({
    version: '1.0',
    added_tokens: added.map((changes) => {
      const content = 'content' in changes ? String(changes.content) : '[SEP]';
      return token({ ...changes, id: words.indexOf(content) });
    }),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  });
}
