import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec } from '../model/model-spec.ts';
import { loadTokenizer } from './load-tokenizer.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'load-tokenizer-'));
});
afterAll(() => rm(directory, { recursive: true }));

const NORMALIZER = {
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: true,
  strip_accents: null,
  lowercase: true,
};

/** Ids of a text by a model whose tokenizer.json has this normalizer. */
async function idsOf(
  name: string,
  text: string,
  lowercase: boolean | undefined,
  normalizer: object | null = NORMALIZER,
  sentence: object = {},
): Promise<number[]> {
  const model = await writeTinyModel(join(directory, name));
  await writeFile(join(model, 'sentence_bert_config.json'), JSON.stringify(sentence));
  const vocab = { '[UNK]': 0, '[CLS]': 1, '[SEP]': 2, Été: 3, ete: 4, été: 5 };
  const content = {
    version: '1.0',
    added_tokens: [],
    normalizer,
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      vocab,
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  };
  await writeFile(join(model, 'tokenizer.json'), JSON.stringify(content));
  const tokenizer = await loadTokenizer(await readModelSpec(model, { lowercase }));
  return (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
}

describe('A tokenizer.json', () => {
  it('has the casing that it says, or the one that is wished', async () => {
    expect(await idsOf('own', 'Été', undefined)).toEqual([4]);
    expect(await idsOf('cased', 'Été', false)).toEqual([3]);
    expect(await idsOf('uncased', 'Été', true, { ...NORMALIZER, lowercase: false })).toEqual([4]);
  });

  it('sees lower case alone where sentence_bert_config.json says so, and accents stay', async () => {
    const lower = { do_lower_case: true };
    const cased = { ...NORMALIZER, lowercase: false };
    expect(await idsOf('lower-bert', 'ÉTÉ', undefined, cased, lower)).toEqual([5]);
    expect(await idsOf('lower-none', 'ÉTÉ', undefined, null, lower)).toEqual([5]);
    expect(await idsOf('lower-other', 'ÉTÉ', undefined, { type: 'NFC' }, lower)).toEqual([5]);
    expect(await idsOf('lower-already', 'ÉTÉ', undefined, NORMALIZER, lower)).toEqual([4]);
    expect(await idsOf('lower-wished', 'Été', false, cased, lower)).toEqual([3]);
  });

  it('has the casing that it says where nothing can be wished', async () => {
    const lowercase = { type: 'Lowercase' };
    expect(await idsOf('other', 'Été', undefined, lowercase)).toEqual([5]);
    await expect(idsOf('refused', 'Été', false, lowercase)).rejects.toThrow(
      /lowercase is false, but .*tokenizer\.json has true, and no BertNormalizer/,
    );
    expect(await idsOf('agreed', 'Été', true, lowercase)).toEqual([5]);
    expect(await idsOf('agreed-cased', 'Été', false, null)).toEqual([3]);
  });
});
