import { describe, expect, it } from 'vitest';
import { checkTokenizerJson } from './check-tokenizer-json.ts';

const TEMPLATE = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [],
  special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
};

const check = (json: unknown): void => checkTokenizerJson('tokenizer.json', json);

describe('checkTokenizerJson', () => {
  it.each([
    { model: { type: 'BPE', merges: ['a b', 'ab c'], continuing_subword_prefix: '' } },
    { model: { type: 'BPE', merges: ['a ##b', ['a', '##c']], continuing_subword_prefix: '##' } },
    { model: { type: 'WordPiece', continuing_subword_prefix: '##' }, post_processor: TEMPLATE },
    { post_processor: { type: 'Sequence', processors: [{ type: 'ByteLevel' }, TEMPLATE] } },
  ])('lets pass what is sound: %j', (json) => {
    expect(() => check(json)).not.toThrow();
  });

  it.each([null, 'text', [], { model: 1, post_processor: 'x' }])('leaves %j to the library', (json) => {
    expect(() => check(json)).not.toThrow();
  });

  it.each([[['a b']], [[['a', 'b']]], [['a ##c', 'a b']]])(
    'refuses a prefix that merges %j lack',
    (merges) => {
      expect(() => check({ model: { type: 'BPE', merges, continuing_subword_prefix: '##' } })).toThrow(
        '[invalid_argument] tokenizer.json: model.continuing_subword_prefix is "##", the merge with "b" does not have it',
      );
    },
  );

  it.each([
    { ...TEMPLATE, special_tokens: {} },
    { type: 'Sequence', processors: [{ ...TEMPLATE, special_tokens: { __proto__: {} } }] },
    { ...TEMPLATE, single: [], pair: TEMPLATE.single, special_tokens: {} },
  ])('refuses a template with a token that it does not have: %j', (processor) => {
    expect(() => check({ post_processor: processor })).toThrow(
      /names "<s>", which its special_tokens do not/,
    );
  });
});
