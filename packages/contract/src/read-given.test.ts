import { describe, expect, it } from 'vitest';
import { copyText, copyTexts } from './encode-text.ts';
import { parseEncodeRequest } from './encode-request.ts';
import { FarmError, messageOf } from './farm-error.ts';

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const THROWING = {
  get model(): string {
    throw new Error('looked at');
  },
};

describe('what a caller gave', () => {
  it.each([
    ['options with a getter that throws', () => parseEncodeRequest(THROWING), 'looked at'],
    ['options that are a revoked proxy', () => parseEncodeRequest(revoked({})), 'revoked'],
    ['an option that is one', () => parseEncodeRequest({ model: revoked([]) }), 'revoked'],
    ['texts that are one', () => copyTexts(revoked([])), 'revoked'],
    ['a text that is one', () => copyTexts(['a', revoked([])]), 'revoked'],
  ])('is invalid where it throws when it is looked at: %s', (_, look, said) => {
    expect(look).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(said) }),
    );
  });

  it('has a short message, whatever its names are', () => {
    const options = { ['x'.repeat(1_000_000)]: 1 };
    expect(() => parseEncodeRequest(options)).toThrow(/^.{0,5000}$/s);
  });

  it('is copied to plain lists, whose toJSON is nobody’s', () => {
    const pair = Object.assign(['a', 'b'], { toJSON: () => 1 });
    expect(JSON.stringify(copyTexts([pair]))).toBe('[["a","b"]]');
    expect(JSON.stringify(copyText(pair, { tokens: false }, 'texts[0]').text)).toBe('["a","b"]');
  });

  it('is told apart from a text by its name', () => {
    expect(copyText(revoked([]), { tokens: false }, 'texts[7]')).toMatchObject({
      text: undefined,
      fault: expect.stringContaining('texts[7] cannot be read'),
    });
  });
});

describe('what somebody threw', () => {
  it.each([
    ['a symbol', Symbol('why'), 'Symbol(why)'],
    ['an object without a prototype', Object.create(null), 'a thrown object that cannot be read'],
    ['a revoked proxy', revoked({}), 'a thrown object that cannot be read'],
    ['an error without a text', Object.assign(new Error('x'), { message: 7 }), '7'],
    ['nothing', undefined, 'undefined'],
  ])('becomes a FarmError: %s', (_, thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
    expect(FarmError.from(thrown)).toMatchObject({ code: 'internal', detail: message });
  });

  it('stays short', () => {
    expect(messageOf('x'.repeat(1_000_000))).toHaveLength(2_001);
  });
});
