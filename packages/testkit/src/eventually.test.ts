import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';

describe('eventually', () => {
  it('returns the first truthy value', async () => {
    let calls = 0;
    expect(await eventually(() => (++calls === 3 ? 'there' : undefined))).toBe('there');
    expect(calls).toBe(3);
  });

  it('names what did not happen, with the last error', async () => {
    const cause = new Error('not yet');
    const check = () => Promise.reject<boolean>(cause);
    await expect(eventually(check, { timeoutMs: 50, what: 'the answer' })).rejects.toMatchObject({
      message: 'the answer: not within 50 ms',
      cause,
    });
  });
});
