import { describe, expect, it } from 'vitest';
import { cutShort, failureSample, parseFailureSample } from './failure-sample.ts';

const FAILURE = { code: 'internal', model: 'fake', message: 'm', requestId: '0-a-1', atMs: 5 } as const;

describe('the sample of a failure', () => {
  it('is cut to what is kept of it, and read again', () => {
    const sample = failureSample({ ...FAILURE, message: 'm'.repeat(1_000), text: 't'.repeat(1_000) });
    expect(sample.message).toHaveLength(200);
    expect(sample.text).toBe(`${'t'.repeat(59)}…`);
    expect(parseFailureSample(JSON.stringify(sample))).toEqual(sample);
  });

  it('splits no surrogate pair, wherever the cut is', () => {
    for (const begin of ['', 'a', 'ab']) {
      const cut = cutShort(begin + '😀'.repeat(60), 60);
      expect(cut.length).toBeLessThanOrEqual(60);
      expect(cut.isWellFormed()).toBe(true);
    }
  });

  it.each([
    [undefined, ''],
    ['<b>bold</b>', '<b>bold</b>'],
    [['a pair', 'of two'], 'a pair of two'],
    [[['tok', '##en'], ['other']], 'tok ##en | other'],
    [Array.from({ length: 65_536 }, () => 'x'), `${'x '.repeat(29)}x…`],
  ])('has the text in one line: %j', (text, line) => {
    expect(failureSample({ ...FAILURE, text: text as string }).text).toBe(line);
  });

  it.each([
    undefined,
    null,
    7,
    '',
    '{',
    'null',
    '[]',
    '{"code":"internal"}',
    JSON.stringify({ ...FAILURE, text: 7 }),
  ])('is none where it was put there by hand: %j', (stored) => {
    expect(parseFailureSample(stored)).toBeUndefined();
  });
});
