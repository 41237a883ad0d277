import { describe, expect, it } from 'vitest';
import { encodeJobId, parseEncodeJob } from './encode-job.ts';

const job = {
  version: 1,
  requestId: '0-abc-1',
  chunkIndex: 3,
  clientId: 'abc',
  model: 'embedded',
  fingerprint: 'f',
  texts: ['a'],
  options: { truncate: 'end', dtype: 'float32' },
  tracked: false,
  awaited: true,
  deadlineMs: 0,
  resultTtlMs: 1_000,
};

describe('a chunk job', () => {
  it('is named by its request and chunk', () => {
    expect(encodeJobId('0-abc-1', 3)).toBe('0-abc-1.3');
  });

  it('is read as it was written', () => {
    expect(parseEncodeJob(structuredClone(job))).toEqual(job);
  });

  it('holds pairs and lists of tokens', () => {
    const texts = ['a', ['b', 'c'], ['t', 'o', 'k'], [['t'], []]];
    expect(parseEncodeJob(structuredClone({ ...job, texts })).texts).toEqual(texts);
  });

  it.each([
    ['a text of another kind', { texts: [['a', 7]] }, 'texts'],
    ['no texts', { texts: [] }, 'texts'],
    ['too many texts', { texts: Array(257).fill('a') }, 'texts'],
    ['another version', { version: 2 }, 'version'],
    ['a hostile request id', { requestId: '{embedfarm}:x' }, 'requestId'],
    ['an option of its own', { hidden: 1 }, 'hidden'],
  ])('is refused with %s, by the field', (_, change, field) => {
    expect(() => parseEncodeJob({ ...job, ...change })).toThrow(field);
  });
});
