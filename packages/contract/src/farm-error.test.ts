import { describe, expect, it } from 'vitest';
import { FARM_ERROR_CODES, FarmError, parseFarmErrorCode } from './farm-error.ts';

describe('FarmError', () => {
  it('carries its code in the message, and knows the message without it', () => {
    const error = new FarmError('no_worker', 'nobody is here');
    expect(error.message).toBe('[no_worker] nobody is here');
    expect(error.detail).toBe('nobody is here');
    expect(error.retryable).toBe(true);
  });

  it('tells when to come back, where that is known', () => {
    expect(new FarmError('overloaded', 'full', { retryAfterMs: 250 }).retryAfterMs).toBe(250);
    expect(new FarmError('overloaded', 'full').retryAfterMs).toBeUndefined();
  });

  it('keeps what was thrown as its cause', () => {
    const cause = new TypeError('x is undefined');
    expect(FarmError.from(cause)).toMatchObject({ code: 'internal', cause });
    const error = new FarmError('cancelled', 'enough');
    expect(FarmError.from(error)).toBe(error);
  });

  it('reads an unknown code, or a name that every object has, as internal', () => {
    for (const code of ['nope', 'toString', '__proto__', 7, null]) {
      expect(parseFarmErrorCode(code)).toBe('internal');
    }
    for (const code of Object.keys(FARM_ERROR_CODES)) expect(parseFarmErrorCode(code)).toBe(code);
  });
});
