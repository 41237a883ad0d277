import { describe, expect, it } from 'vitest';
import { parseEncodeRequest } from './encode-request.ts';

describe('the options of a call', () => {
  it('names an unknown option and one out of range', () => {
    expect(() => parseEncodeRequest({ normalise: true })).toThrow('"normalise"');
    expect(() => parseEncodeRequest({ dimensions: 0 })).toThrow('dimensions');
    expect(() => parseEncodeRequest({ model: 'a:b' })).toThrow('model');
    expect(() => parseEncodeRequest({ truncate: 'middle' })).toThrow('truncate');
    expect(() => parseEncodeRequest({ dtype: 'float64' })).toThrow('dtype');
    expect(() => parseEncodeRequest({ prompt: 'x'.repeat(10_001) })).toThrow('prompt');
    expect(() => parseEncodeRequest({ prompt: '\ud800' })).toThrow('lone surrogate');
  });

  it('completes what is left out', () => {
    expect(parseEncodeRequest({})).toEqual({ truncate: 'end', dtype: 'float32' });
  });
});
