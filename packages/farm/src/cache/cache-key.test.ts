import {
  encodeOptionsSchema,
  type EncodeOptions,
  type EncodeText,
  type ModelRegistration,
} from '@embedfarm/contract';
import { fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cacheHasher, cachePreimage } from './cache-key.ts';

const model: ModelRegistration = {
  ...fakeRegistration(),
  promptNames: ['query', 'passage'],
  defaultPromptName: 'query',
};
const options = (wishes: object = {}): EncodeOptions => encodeOptionsSchema.parse(wishes);
const nameOf = (text: EncodeText, wishes: object = {}, registration = model): string =>
  cacheHasher(registration, options(wishes))(text);

/** An option of each name with a value that is not the default. */
const OTHERS: Record<keyof EncodeOptions, unknown> = {
  normalize: true,
  dimensions: 2,
  dtype: 'float16',
  truncate: 'start',
  tokens: true,
  promptName: 'passage',
  prompt: 'query',
  returnTokens: true,
};

/** Strings that look like the marks of the form itself, and lone surrogates, beside any others. */
const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '","', '"],["', '[]', '\\', '\ud800', '\udc00', '\ufffd', 'a', 'b'),
);
const text: fc.Arbitrary<EncodeText> = fc.oneof(
  part,
  fc.array(part, { maxLength: 4 }),
  fc.tuple(fc.array(part, { maxLength: 3 }), fc.array(part, { maxLength: 3 })),
);
const wishes = fc.record(
  {
    normalize: fc.boolean(),
    dimensions: fc.integer({ min: 1, max: 4 }),
    dtype: fc.constantFrom('float32', 'float16', 'int8', 'binary'),
    truncate: fc.constantFrom('end', 'start', 'error'),
    tokens: fc.boolean(),
    promptName: fc.constantFrom('query', 'passage'),
    prompt: fc.constantFrom('', 'query', 'passage', '"'),
    returnTokens: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** What is asked for, told by a model that is told nothing twice. */
function meaning(asked: EncodeOptions): unknown {
  const { prompt, promptName = 'query', ...rest } = asked;
  const before = prompt === undefined ? { name: promptName } : prompt === '' ? {} : { text: prompt };
  return { normalize: false, dimensions: 4, tokens: false, returnTokens: false, ...rest, before };
}

describe('the name of a text in the cache', () => {
  it('is the same for the same text and options, and for no others', () => {
    const asked = fc.tuple(text, wishes, fc.constantFrom('fake-1', 'fake-2', 'fake-1","'));
    fc.assert(
      fc.property(asked, asked, ([a, forA, modelA], [b, forB, modelB]) => {
        const one = cachePreimage({ ...model, fingerprint: modelA }, options(forA))(a);
        const other = cachePreimage({ ...model, fingerprint: modelB }, options(forB))(b);
        const isSame = isDeepStrictEqual(
          [a, modelA, meaning(options(forA))],
          [b, modelB, meaning(options(forB))],
        );
        expect(one === other).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  it('tells texts apart that share options, a string from a pair from lists of tokens', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const preimage = cachePreimage(model, options());
        expect(preimage(a) === preimage(b)).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 2_000 },
    );
    const alike: EncodeText[] = [
      'ab',
      ['a', 'b'],
      ['ab'],
      [['a'], ['b']],
      [['a', 'b'], []],
      [[], ['a', 'b']],
      ['7'],
      [7],
    ];
    expect(new Set(alike.map((one) => nameOf(one))).size).toBe(alike.length);
    expect(nameOf('\ud800')).not.toBe(nameOf('\ufffd'));
  });

  it.each(Object.keys(encodeOptionsSchema.shape) as (keyof EncodeOptions)[])(
    'is another for another %s',
    (name) => {
      expect(nameOf('text', { [name]: OTHERS[name] })).not.toBe(nameOf('text'));
    },
  );

  it('is the same whether a default is asked for or left out', () => {
    const spelt = {
      normalize: false,
      dimensions: 4,
      dtype: 'float32',
      truncate: 'end',
      tokens: false,
      promptName: 'query',
      returnTokens: false,
    };
    expect(nameOf('text', spelt)).toBe(nameOf('text'));
    expect(nameOf('text', { prompt: '' }, model)).toBe(nameOf('text', {}, fakeRegistration()));
    expect(nameOf('text', { promptName: 'passage', prompt: 'x' })).toBe(nameOf('text', { prompt: 'x' }));
  });

  it('is all 256 bits of a hash', () => {
    expect(nameOf('text')).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
