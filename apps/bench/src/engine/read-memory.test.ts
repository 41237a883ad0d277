import { describe, expect, it } from 'vitest';
import { parseRollup, readMemory } from './read-memory.ts';
import { slopeOf } from './soak.ts';

describe('parseRollup', () => {
  it('reads the sums of a process', () => {
    const rollup =
      '55d0-7ffc ---p 0 00:00 0 [rollup]\nRss:  2048 kB\nPss:  1024 kB\nPss_Anon: 1 kB\nAnonymous:  512 kB\n';
    expect(parseRollup(rollup)).toEqual({
      residentBytes: 2 * 2 ** 20,
      proportionalBytes: 2 ** 20,
      anonymousBytes: 2 ** 19,
    });
  });
});

describe.runIf(process.platform === 'linux')('readMemory', () => {
  it('sees a buffer that is filled', async () => {
    const before = await readMemory();
    const filled = Buffer.alloc(64 * 2 ** 20, 1);
    const after = await readMemory();
    const more = (after?.anonymousBytes ?? 0) - (before?.anonymousBytes ?? 0);
    expect(more).toBeGreaterThan(filled.length / 2);
  });
});

describe('slopeOf', () => {
  it('is that of the line nearest to the points', () => {
    expect(
      slopeOf([
        [0, 5],
        [1, 7],
        [2, 9],
      ]),
    ).toBeCloseTo(2);
    expect(
      slopeOf([
        [0, 1],
        [1, 0],
        [2, 1],
        [3, 0],
      ]),
    ).toBeCloseTo(-0.2);
    expect(slopeOf([[1, 1]])).toBeNaN();
  });
});
