import { describe, expect, it } from 'vitest';
import { encodeJobId, MAX_REQUEST_CHUNKS, parseEncodeJob, parseJobId } from './encode-job.ts';

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

  it('can be found by its name', () => {
    expect(parseJobId('0-abc-1.3')).toEqual({ requestId: '0-abc-1', chunkIndex: 3 });
  });

  it.each([
    '',
    '17',
    '0-abc-1',
    '0-abc-1.',
    '0-abc-1.-1',
    '0-abc-1.03',
    '0-abc-1.3.4',
    '{x}.1',
    '0-abc-1.9999999',
  ])('is not named by %j', (jobId) => {
    expect(parseJobId(jobId)).toBeUndefined();
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
    ['an index beyond any request', { chunkIndex: MAX_REQUEST_CHUNKS }, 'chunkIndex'],
    ['a prototype key', JSON.parse('{"__proto__":{"texts":[]}}') as object, '__proto__'],
    ['a constructor', { constructor: 1 }, 'constructor'],
    ['an option of its own', { hidden: 1 }, 'hidden'],
  ])('is refused with %s, by the field', (_, change, field) => {
    expect(() => parseEncodeJob({ ...job, ...change })).toThrow(field);
  });
});
