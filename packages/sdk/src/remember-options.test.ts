import { expect, it, vi } from 'vitest';
import { parseEncodeOptions } from './call-options.ts';
import { rememberOptions } from './remember-options.ts';

function counted() {
  const parse = vi.fn<(options: unknown) => { part: object }>((options) => ({
    part: { ...(options as object) },
  }));
  return { parse, read: rememberOptions(parse) };
}

it('gives the same for the same plain options, and parses them once', () => {
  const { parse, read } = counted();
  const first = read({ model: 'a', timeoutMs: 5 });
  expect(read({ model: 'a', timeoutMs: 5 })).toBe(first);
  expect(parse).toHaveBeenCalledTimes(1);
  expect(Object.isFrozen(first) && Object.isFrozen(first.part)).toBe(true);
});

it.each([
  ['another value', { model: 'b' }],
  ['another kind of value', { model: 1 }],
  ['one more', { model: 'a', lane: 'bulk' }],
  ['none', {}],
  ['a symbol beside it', { model: 'a', [Symbol('lane')]: 1 }],
  ['another prototype', Object.create({ lane: 'bulk' }, { model: { value: 'a', enumerable: true } })],
  ['what is no object', 'model'],
  ['nothing', undefined],
])('parses options with %s', (_what, other) => {
  const { parse, read } = counted();
  read({ model: 'a' });
  read(other);
  expect(parse).toHaveBeenLastCalledWith(other);
});

it.each([
  ['an object', { cache: { ttlMs: 5_000 } }],
  ['a signal', { signal: new AbortController().signal }],
  ['a function', { onProgress: () => undefined }],
  [
    'a getter',
    {
      get model() {
        return 'a';
      },
    },
  ],
  ['a proxy', new Proxy({ model: 'a' }, {})],
])('does not remember options with %s', (_what, options) => {
  const { parse, read } = counted();
  read(options);
  read(options);
  expect(parse).toHaveBeenCalledTimes(2);
});

it('does not remember what was refused', () => {
  for (let call = 0; call < 2; call += 1) {
    expect(() => parseEncodeOptions({ timeoutMs: 0 })).toThrow(/timeoutMs/);
    expect(() => parseEncodeOptions({ modle: 'a' })).toThrow(/modle/);
  }
});

it('leaves it to the parser to say what cannot be read', () => {
  parseEncodeOptions({ model: 'a' });
  const broken = Object.defineProperty({}, 'model', {
    get: () => {
      throw new Error('no');
    },
  });
  expect(() => parseEncodeOptions(broken)).toThrow(/encode options cannot be read: no/);
});
