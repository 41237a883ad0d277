import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FarmError, type EncodeOptions, type EncodeText } from '@embedfarm/contract';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec, type Casing, type ModelSpec } from '../model/model-spec.ts';
import { parseVocabulary } from './load-tokenizer.ts';
import { tokenizerText } from './tokenizer-text.ts';
import { Tokenizer, type Sequence, type TokenizedText } from './tokenizer.ts';

const VOCABULARY = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'one',
  'two',
  'three',
  'four',
  '##teen',
  '中',
  'Été',
  'ete',
];

let directory: string;
let tiny: ModelSpec;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenizer-'));
  tiny = await readModelSpec(await writeTinyModel(join(directory, 'tiny')));
});
afterAll(() => rm(directory, { recursive: true }));

async function open(
  file: { name: string; content: string },
  changes: Partial<ModelSpec> = {},
): Promise<Tokenizer> {
  const path = join(directory, file.name);
  await writeFile(path, file.content);
  const kind = path.endsWith('.json') ? 'json' : 'vocabulary';
  return Tokenizer.open({ ...tiny, ...changes, files: { ...tiny.files, tokenizer: { kind, path } } });
}

const openVocabulary = (
  changes: Partial<ModelSpec> = {},
  content = VOCABULARY.join('\n'),
): Promise<Tokenizer> => open({ name: 'vocab.txt', content }, changes);

async function tokenize(
  tokenizer: Tokenizer,
  texts: readonly EncodeText[],
  truncate: EncodeOptions['truncate'] = 'end',
  tokens = false,
): Promise<TokenizedText[]> {
  const all: TokenizedText[] = [];
  const prepared = texts.map((text) => tokenizerText(text, { tokens }));
  for await (const part of tokenizer.tokenize(prepared, truncate)) all.push(...part);
  return all;
}

function idsOf(text: TokenizedText | undefined): number[] {
  if (text === undefined || text instanceof FarmError) throw new Error(`no sequence: ${String(text)}`);
  return [...text.ids];
}

const tokensOf = async (tokenizer: Tokenizer, text: string): Promise<string[]> => {
  const [tokenized] = await tokenize(tokenizer, [text]);
  return idsOf(tokenized).map((id) => VOCABULARY[id] ?? `${id}`);
};

const repeat = (count: number, value: string): string[] => Array.from({ length: count }, () => value);

describe('Tokenizer', () => {
  it('puts special tokens around the pieces of a text, and around an empty one', async () => {
    const tokenizer = await openVocabulary();
    expect(await tokensOf(tokenizer, 'one fourteen')).toEqual(['[CLS]', 'one', 'four', '##teen', '[SEP]']);
    expect(await tokensOf(tokenizer, '')).toEqual(['[CLS]', '[SEP]']);
    expect(await tokensOf(tokenizer, '中one')).toEqual(['[CLS]', '中', 'one', '[SEP]']);
    expect(await tokensOf(tokenizer, 'sixteen')).toEqual(['[CLS]', '[UNK]', '[SEP]']);
  });

  it('keeps case and accents where the model is cased', async () => {
    const cased: Casing = { lowercase: false, stripAccents: false, splitHan: true };
    expect(await tokensOf(await openVocabulary({ casing: cased }), 'Été')).toEqual(['[CLS]', 'Été', '[SEP]']);
    expect(await tokensOf(await openVocabulary(), 'Été')).toEqual(['[CLS]', 'ete', '[SEP]']);
  });

  it('takes a special token written out in a text for that token, as Hugging Face does', async () => {
    expect(await tokensOf(await openVocabulary(), 'one [SEP] two')).toEqual([
      '[CLS]',
      'one',
      '[SEP]',
      'two',
      '[SEP]',
    ]);
  });

  it('cuts the end, the start, or refuses, and keeps the special tokens', async () => {
    const tokenizer = await openVocabulary({ maxSequenceLength: 4 });
    const texts = ['one two three four', 'one two'];
    const cut = async (truncate: EncodeOptions['truncate']): Promise<TokenizedText[]> =>
      tokenize(tokenizer, texts, truncate);
    expect((await cut('end')).map(idsOf)).toEqual([
      [2, 5, 6, 3],
      [2, 5, 6, 3],
    ]);
    expect((await cut('start')).map(idsOf)).toEqual([
      [2, 7, 8, 3],
      [2, 5, 6, 3],
    ]);
    expect((await cut('end')).map((text) => (text as Sequence).truncated)).toEqual([true, false]);
    const [refused, kept] = await cut('error');
    expect(refused).toMatchObject({ code: 'sequence_too_long', detail: 'the text has 6 tokens, limit is 4' });
    expect(idsOf(kept)).toEqual([2, 5, 6, 3]);
  });

  it('fails a bad text alone', async () => {
    const texts = ['one', 'a lone \ud800 surrogate', 7 as unknown as string, 'x'.repeat(1_000_001), 'two'];
    const [one, surrogate, number, large, two] = await tokenize(await openVocabulary(), texts);
    expect([idsOf(one), idsOf(two)]).toEqual([
      [2, 5, 3],
      [2, 6, 3],
    ]);
    for (const fault of [surrogate, number, large]) expect(fault).toMatchObject({ code: 'invalid_argument' });
    expect(number).toMatchObject({ detail: 'the text must be a string or a pair of strings, got number' });
    expect(large).toMatchObject({ detail: 'the text has 1000001 bytes, limit is 1000000' });
  });

  it('takes a text of a million bytes', async () => {
    const [long] = await tokenize(await openVocabulary(), ['one '.repeat(250_000)]);
    expect(idsOf(long)).toHaveLength(tiny.maxSequenceLength);
  });

  it('gives the texts in small parts in their order, of calls side by side in turns', async () => {
    const tokenizer = await openVocabulary();
    const order: string[] = [];
    const read = async (name: string): Promise<void> => {
      for await (const part of tokenizer.tokenize(repeat(70, 'one'), 'end')) {
        order.push(`${name}${part.length}`);
      }
    };
    await Promise.all([read('a'), read('b')]);
    expect(order).toEqual(['a32', 'b32', 'a32', 'b32', 'a6', 'b6']);
  });

  it('ends early when nobody waits any more', async () => {
    const tokenizer = await openVocabulary();
    let parts = 0;
    for await (const part of tokenizer.tokenize(repeat(70, 'one'), 'end', () => parts > 0)) {
      parts += part.length > 0 ? 1 : 0;
    }
    expect(parts).toBe(1);
  });

  it('reads a vocabulary with CRLF, and one whose last line has no end', () => {
    expect([...parseVocabulary('a\r\nb\r\n')]).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
    expect([...parseVocabulary('a\nb')]).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });

  it('names the file whose vocabulary lacks a token, is too large, or is broken', async () => {
    await expect(openVocabulary({}, 'one\ntwo')).rejects.toThrow(/vocab\.txt has no \[UNK\]/);
    await expect(openVocabulary({ vocabularySize: 5 })).rejects.toThrow(/vocab\.txt holds 13 tokens.* has 5/);
    await expect(open({ name: 'tokenizer.json', content: '{' })).rejects.toThrow(/tokenizer\.json/);
    const twice = ['[UNK]', '[CLS]', '[SEP]', 'one', 'one'].join('\n');
    await expect(openVocabulary({ vocabularySize: 4 }, twice)).rejects.toThrow(
      /vocab\.txt goes up to token id 4, .* ends at 3/,
    );
    const model = { type: 'WordLevel', vocab: {}, unk_token: '[UNK]' };
    const content = JSON.stringify({ version: '1.0', added_tokens: [], model });
    await expect(open({ name: 'tokenizer.json', content })).rejects.toThrow(/tokenizer\.json: .*\[UNK\]/);
    await expect(openVocabulary({ maxSequenceLength: 2 })).rejects.toThrow(/adds 2 tokens/);
  });
});

const shared = join(import.meta.dirname, '../../../../../shared/data');
const golden = join(shared, 'tokenization/golden_ids.jsonl');
if (!existsSync(golden)) console.warn(`skipped: golden token ids, there is no ${golden}`);

describe.skipIf(!existsSync(golden))('Tokenizer with the vocabularies of BERT', () => {
  const specOf = (name: string): Partial<ModelSpec> => {
    const lowercase = !name.endsWith('-cased') && name !== 'bert-base-multilingual-cased';
    const casing = { lowercase, stripAccents: lowercase, splitHan: true };
    return { casing, vocabularySize: 200_000, maxSequenceLength: 100_000 };
  };

  it.each(['bert-base-uncased', 'bert-base-cased', 'bert-base-chinese', 'bert-base-multilingual-cased'])(
    'gives every golden id of %s',
    async (name) => {
      const content = await readFile(join(shared, `vocabs/${name}.vocab.txt`), 'utf8');
      const tokenizer = await open({ name: `${name}.txt`, content }, specOf(name));
      const cases = await readGolden(name);
      expect(cases.length).toBeGreaterThan(300);
      const got = await tokenize(
        tokenizer,
        cases.map(({ text }) => text),
      );
      for (const [index, { text, ids }] of cases.entries()) {
        expect(idsOf(got[index]).slice(1, -1), JSON.stringify(text)).toEqual(ids);
      }
    },
  );

  it('gives the same ids by a tokenizer.json, whose own cut and padding it leaves out', async () => {
    const content = await readFile(join(shared, 'vocabs/all-MiniLM-L6-v2.tokenizer.json'), 'utf8');
    const tokenizer = await open({ name: 'tokenizer.json', content }, specOf('bert-base-uncased'));
    const cases = await readGolden('bert-base-uncased');
    const got = await tokenize(
      tokenizer,
      cases.map(({ text }) => text),
    );
    for (const [index, { text, ids }] of cases.entries()) {
      expect(idsOf(got[index]), JSON.stringify(text)).toEqual([101, ...ids, 102]);
    }
  });
});

const WRITTEN_OUT = /\[(?:PAD|UNK|CLS|SEP|MASK)\]/;

async function readGolden(name: string): Promise<{ text: string; ids: number[] }[]> {
  const cases: { text: string; ids: number[] }[] = [];
  for await (const line of createInterface({ input: createReadStream(golden) })) {
    const { text, ids } = JSON.parse(line) as { text: string; ids: Record<string, number[]> };
    // Golden ids are those of plain WordPiece, to which `[SEP]` is four pieces of text.
    if (ids[name] && !WRITTEN_OUT.test(text)) cases.push({ text, ids: ids[name] });
  }
  return cases;
}
