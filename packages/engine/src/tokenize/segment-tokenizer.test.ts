import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError, type EncodeOptions, type EncodeText } from '@embedfarm/contract';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import fc from 'fast-check';
import tokenizers, { type Tokenizer as NativeTokenizer } from 'tokenizers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec, type ModelSpec } from '../model/model-spec.ts';
import { longestFirst } from './longest-first.ts';
import { tokenizerText } from './tokenizer-text.ts';
import { Tokenizer, type Sequence } from './tokenizer.ts';

const VOCABULARY = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'one',
  'two',
  'three',
  '##teen',
  'it',
  'do',
];
const MAX_LENGTH = 12;

let directory: string;
let spec: ModelSpec;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'segments-'));
  spec = await readModelSpec(await writeTinyModel(join(directory, 'tiny')));
});
afterAll(() => rm(directory, { recursive: true }));

async function open(
  name: string,
  content: string,
  changes: Partial<ModelSpec> = { maxSequenceLength: MAX_LENGTH },
): Promise<Tokenizer> {
  const path = join(directory, name);
  await writeFile(path, content);
  const kind = name.endsWith('.json') ? 'json' : 'vocabulary';
  return Tokenizer.open({ ...spec, ...changes, files: { ...spec.files, tokenizer: { kind, path } } });
}

const openBert = (changes?: Partial<ModelSpec>): Promise<Tokenizer> =>
  open('vocab.txt', VOCABULARY.join('\n'), changes);

/** The same pieces with another post-processor, as a tokenizer.json. */
const jsonOf = (post_processor: object): string =>
  JSON.stringify({
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(VOCABULARY.map((token, id) => [token, id])),
    },
  });

const ROBERTA = jsonOf({
  type: 'RobertaProcessing',
  sep: ['[SEP]', 3],
  cls: ['[CLS]', 2],
  trim_offsets: true,
  add_prefix_space: false,
});

interface Wishes {
  readonly truncate?: EncodeOptions['truncate'];
  readonly tokens?: boolean;
}

async function sequences(
  tokenizer: Tokenizer,
  texts: readonly EncodeText[],
  { truncate = 'end', tokens = false }: Wishes = {},
): Promise<(Sequence | FarmError)[]> {
  const all: (Sequence | FarmError)[] = [];
  const prepared = texts.map((text) => tokenizerText(text, { tokens }));
  for await (const part of tokenizer.tokenize(prepared, truncate)) all.push(...part);
  return all;
}

/** Its pieces, and where the second segment begins. */
async function read(tokenizer: Tokenizer, text: EncodeText, wishes: Wishes = {}): Promise<[string, number?]> {
  const [sequence] = await sequences(tokenizer, [text], wishes);
  if (!sequence || sequence instanceof FarmError) throw sequence ?? new Error('no sequence');
  const pieces = [...sequence.ids].map((id) => VOCABULARY[id]).join(' ');
  return sequence.secondAt === undefined ? [pieces] : [pieces, sequence.secondAt];
}

describe('a pair', () => {
  it('is laid out as the tokenizer has it, and says where its second segment begins', async () => {
    const bert = await openBert();
    expect(await read(bert, ['one twoteen', 'do'])).toEqual(['[CLS] one two ##teen [SEP] do [SEP]', 5]);
    expect(await read(bert, ['', 'do'])).toEqual(['[CLS] [SEP] do [SEP]', 2]);
    expect(await read(bert, ['do', ''])).toEqual(['[CLS] do [SEP] [SEP]', 3]);
    expect([bert.typesSegments, bert.specialTokens]).toEqual([true, { first: 1, between: 1, last: 1 }]);
    const roberta = await open('tokenizer.json', ROBERTA);
    expect(await read(roberta, ['one two', 'do'])).toEqual(['[CLS] one two [SEP] [SEP] do [SEP]', 5]);
    expect([roberta.typesSegments, roberta.specialTokens]).toEqual([
      false,
      { first: 1, between: 2, last: 1 },
    ]);
  });

  it('is refused by a tokenizer whose layout is not known', async () => {
    const special = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
    const segment = (id: string, type_id: number): object => ({ Sequence: { id, type_id } });
    const content = jsonOf({
      type: 'TemplateProcessing',
      single: [segment('A', 0), special('[SEP]')],
      pair: [segment('B', 1), special('[SEP]'), segment('A', 0)],
      special_tokens: { '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] } },
    });
    await expect(open('tokenizer.json', content)).rejects.toThrow(
      /lays out a pair as segments 1 .* not known/,
    );
  });

  it('that is too long loses of its longer segment first, at the end or the start', async () => {
    const bert = await openBert({ maxSequenceLength: 8 });
    const pair = ['one two three it do', 'two one'] as const;
    expect(await read(bert, pair)).toEqual(['[CLS] one two three [SEP] two one [SEP]', 5]);
    expect(await read(bert, pair, { truncate: 'start' })).toEqual([
      '[CLS] three it do [SEP] two one [SEP]',
      5,
    ]);
    const [refused] = await sequences(bert, [pair], { truncate: 'error' });
    expect(refused).toMatchObject({
      code: 'sequence_too_long',
      detail: 'the text has 10 tokens, limit is 8',
    });
  });

  it('fails alone where its special tokens are more than the model takes', async () => {
    const roberta = await open('tokenizer.json', ROBERTA, { maxSequenceLength: 3 });
    const [failed, whole] = await sequences(roberta, [['one', 'two'], 'one']);
    expect(failed).toMatchObject({ code: 'sequence_too_long', detail: 'the text has 6 tokens, limit is 3' });
    expect(whole).toMatchObject({ ids: Int32Array.of(2, 5, 3) });
  });

  const words = fc.array(fc.constantFrom('one', 'two', 'three', 'twoteen', 'nothing', 'do'), {
    maxLength: 5,
  });
  const phrase = words.map((list) => list.join(' '));

  it.each([
    ['BERT', 'end'],
    ['BERT', 'start'],
    ['RoBERTa', 'end'],
    ['RoBERTa', 'start'],
  ] as const)('has the ids and types of the library, by %s with cuts at the %s', async (family, truncate) => {
    const bert = tokenizers.bertProcessing(['[SEP]', 3], ['[CLS]', 2]);
    const own = family === 'BERT' ? await openBert() : await open('tokenizer.json', ROBERTA);
    const native = tokenizers.Tokenizer.fromString(ROBERTA);
    if (family === 'BERT') native.setPostProcessor(bert);
    // The library first cuts each segment to all of the length, and then takes two such for as long.
    native.setTruncation(MAX_LENGTH, { direction: truncate === 'start' ? 'left' : 'right' });
    await fc.assert(
      fc.asyncProperty(phrase, phrase, async (first, second) => {
        const [sequence] = await sequences(own, [[first, second]], { truncate });
        expect(withTypes(sequence, own.typesSegments)).toEqual(await encode(native, first, second));
      }),
      { numRuns: 500 },
    );
  });
});

async function encode(native: NativeTokenizer, first: string, second: string): Promise<[number, number][]> {
  const encoding = await native.encode(first, second, { addSpecialTokens: true });
  const types = encoding.getTypeIds();
  return encoding.getIds().map((id, place) => [id, types[place] ?? -1]);
}

function withTypes(sequence: Sequence | FarmError | undefined, typesSegments: boolean): [number, number][] {
  if (!sequence || sequence instanceof FarmError) throw sequence ?? new Error('no sequence');
  const { ids, secondAt = ids.length } = sequence;
  return Array.from(ids, (id, place) => [id, typesSegments && place >= secondAt ? 1 : 0]);
}

describe('longestFirst', () => {
  it.each([
    [3, 4, 9, [3, 4]],
    [9, 2, 9, [7, 2]],
    [2, 9, 9, [2, 7]],
    [9, 9, 9, [4, 5]],
    [10, 9, 9, [5, 4]],
    [9, 10, 8, [4, 4]],
    [9, 9, 0, [0, 0]],
  ])('of %i and %i in %i keeps %j', (first, second, room, kept) => {
    expect(longestFirst(first, second, room)).toEqual(kept);
  });
});

describe('a list of tokens', () => {
  it('is looked up as it is: no lower case, no pieces, [UNK] for what is not there', async () => {
    const bert = await openBert();
    const tokens = true;
    expect(await read(bert, ['One', 'do', 'twoteen', '##teen', '[SEP]', ''], { tokens })).toEqual([
      '[CLS] [UNK] do [UNK] ##teen [SEP] [UNK] [SEP]',
    ]);
    expect(await read(bert, [], { tokens })).toEqual(['[CLS] [SEP]']);
    // bert-as-service takes this for a pair; here it is a token that no vocabulary has.
    expect(await read(bert, ['do', '|||', 'it'], { tokens })).toEqual(['[CLS] do [UNK] it [SEP]']);
  });

  it('is cut at the end or the start, and makes pairs', async () => {
    const bert = await openBert({ maxSequenceLength: 5 });
    const list = ['one', 'two', 'three', 'it'];
    expect(await read(bert, list, { tokens: true })).toEqual(['[CLS] one two three [SEP]']);
    expect(await read(bert, list, { tokens: true, truncate: 'start' })).toEqual(['[CLS] two three it [SEP]']);
    expect(await read(bert, [['one'], ['two', 'three']], { tokens: true })).toEqual([
      '[CLS] one [SEP] two [SEP]',
      3,
    ]);
    const [refused] = await sequences(bert, [list], { tokens: true, truncate: 'error' });
    expect(refused).toMatchObject({ code: 'sequence_too_long' });
  });

  it('may be ids, which stand for themselves, and are refused where the vocabulary has none', async () => {
    const bert = await openBert({ maxSequenceLength: 6 });
    const tokens = true;
    expect(await read(bert, [10, 8, 3, 1], { tokens })).toEqual(['[CLS] do ##teen [SEP] [UNK] [SEP]']);
    expect(await read(bert, [[5], ['two']], { tokens })).toEqual(['[CLS] one [SEP] two [SEP]', 3]);
    expect(await read(bert, [5, 6, 7, 9, 10], { tokens })).toEqual(['[CLS] one two three it [SEP]']);
    const [beyond, good] = await sequences(bert, [[5, VOCABULARY.length], [5]], { tokens });
    expect(beyond).toMatchObject({
      code: 'invalid_argument',
      detail: `the vocabulary has no token with the id ${VOCABULARY.length}`,
    });
    expect(good).toMatchObject({ ids: Int32Array.of(2, 5, 3) });
  });

  it('keeps its place among texts that fail', async () => {
    const mixed = [['one'], 7, [['two'], 'x'], ['\ud800'], [['do'], ['it']]] as unknown as EncodeText[];
    const got = await sequences(await openBert(), mixed, { tokens: true });
    expect(
      got.map((sequence) => (sequence instanceof FarmError ? sequence.detail : [...sequence.ids])),
    ).toEqual([
      [2, 5, 3],
      'the text must be a list of tokens, as the option tokens is true, got number',
      'the text[1] must be a list of tokens, got string',
      'the text[0] holds a lone surrogate, which has no UTF-8 form',
      [2, 10, 3, 9, 3],
    ]);
  });
});

const shared = join(import.meta.dirname, '../../../../../shared/data');
if (!existsSync(shared)) console.warn(`skipped: ids of real vocabularies, there is no ${shared}`);

describe.skipIf(!existsSync(shared))('with the vocabulary of bert-base-uncased', () => {
  const openReal = async (): Promise<Tokenizer> =>
    open('bert.txt', await readFile(join(shared, 'vocabs/bert-base-uncased.vocab.txt'), 'utf8'), {
      vocabularySize: 30_522,
    });

  it('a pair has the ids that are known of it', async () => {
    const cases = JSON.parse(await readFile(join(shared, 'tokenization/transformersjs_bert.json'), 'utf8'));
    const pairs = (cases as { text: string; text_pair?: string; ids: number[]; vocab: string }[]).filter(
      ({ text_pair, vocab }) => text_pair !== undefined && vocab === 'bert-base-uncased',
    );
    expect(pairs).not.toEqual([]);
    for (const { text, text_pair = '', ids } of pairs) {
      const [sequence] = await sequences(await openReal(), [[text, text_pair]]);
      expect(sequence).toMatchObject({ ids: Int32Array.from(ids) });
    }
  });

  it('tokens are those that bert-as-service gives', async () => {
    const texts = [
      ['hello', 'world!'],
      ['thisis', 'it'],
      ['First', 'do', 'it'],
    ];
    const got = await sequences(await openReal(), texts, { tokens: true });
    // hello [UNK]; [UNK] it; [UNK] do it
    expect(got.map((sequence) => (sequence instanceof FarmError ? [] : [...sequence.ids]))).toEqual([
      [101, 7592, 100, 102],
      [101, 100, 2009, 102],
      [101, 100, 2079, 2009, 102],
    ]);
  });
});
