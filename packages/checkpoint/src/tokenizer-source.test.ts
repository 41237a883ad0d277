import { describe, expect, it } from 'vitest';
import { casingOf } from './tokenizer-source.ts';

const LOWER = ['[CLS]', '<S>', '[unused1]', 'one', '##s', 'über', '東', 'A', '##B'];
const NOTHING = { lowercase: undefined, json: undefined, config: undefined, name: 'model', entries: LOWER };

describe('casingOf', () => {
  it.each([
    ['uncased_L-12_H-768_A-12', true],
    ['wwm_uncased_L-24_H-1024_A-16', true],
    ['cased_L-24_H-1024_A-16', false],
    ['multi_cased_L-12_H-768_A-12', false],
    ['chinese_L-12_H-768_A-12', true],
    ['multilingual_L-12_H-768_A-12', true],
    ['bert-base-cased', false],
    ['bert-base-uncased', true],
  ])('knows the name %s', (name, lowercase) => {
    // A vocabulary that says the other thing.
    const entries = lowercase ? [...LOWER, 'One'] : LOWER;
    expect(casingOf({ ...NOTHING, name, entries })).toEqual({ lowercase, casingFrom: 'name' });
  });

  it.each(['model', 'encased', 'uncasedmodel', 'my-chinese'])(
    'reads the vocabulary where the name is %s',
    (name) => {
      expect(casingOf({ ...NOTHING, name })).toEqual({ lowercase: true, casingFrom: 'vocabulary' });
      for (const entry of ['One', '##Sy', 'Über']) {
        const entries = [...LOWER, entry];
        expect(casingOf({ ...NOTHING, name, entries })).toEqual({
          lowercase: false,
          casingFrom: 'vocabulary',
        });
      }
    },
  );

  it('believes the caller, then the tokenizer, then its config, then the name', () => {
    const all = { ...NOTHING, lowercase: true, json: false, config: true, name: 'cased_L-12' };
    expect(casingOf(all)).toEqual({ lowercase: true, casingFrom: 'option' });
    expect(casingOf({ ...all, lowercase: undefined })).toEqual({
      lowercase: false,
      casingFrom: 'tokenizer.json',
    });
    expect(casingOf({ ...all, lowercase: undefined, json: undefined })).toEqual({
      lowercase: true,
      casingFrom: 'tokenizer_config.json',
    });
  });
});
