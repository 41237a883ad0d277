import { describe, expect, it } from 'vitest';
import { cacheTtlOf } from './cache-option.ts';
import { parseEncodeRequest } from './encode-request.ts';

describe('the cache option', () => {
  it.each([
    [undefined, undefined],
    [false, undefined],
    [true, 86_400_000],
    [{ ttlMs: 1_000 }, 1_000],
    [{ ttlMs: 2_592_000_000 }, 2_592_000_000],
  ])('%j keeps vectors for %j ms', (cache, ttlMs) => {
    expect(cacheTtlOf(parseEncodeRequest({ cache }).cache)).toBe(ttlMs);
  });

  it.each([
    [{ ttlMs: 999 }, '>=1000', 'cache.ttlMs'],
    [{ ttlMs: 2_592_000_001 }, '<=2592000000', 'cache.ttlMs'],
    [{ ttlMs: 1_000.5 }, 'whole ms from 1000 to 2592000000', 'cache'],
    ['yes', 'must be true, false or { ttlMs }', 'cache'],
    [{}, 'must be true, false or { ttlMs }', 'cache'],
    [null, 'must be true, false or { ttlMs }', 'cache'],
    [{ ttlMs: 5_000, forever: true }, 'forever', 'cache'],
  ])('%j is refused with the field and the limit', (cache, fault, field) => {
    expect(() => parseEncodeRequest({ cache })).toThrow(fault);
    expect(() => parseEncodeRequest({ cache })).toThrow(`at ${field}`);
  });
});
