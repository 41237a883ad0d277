import type { Lane } from '@embedfarm/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchLimits } from './plan-batch.ts';
import { WaitingLine, type WaitingSequence } from './waiting-line.ts';

const limits: BatchLimits = { tokenBudget: 100, graph: 'packed' };

function sequences(call: string, lengths: readonly number[]): WaitingSequence<string>[] {
  return lengths.map((length, index) => ({ call, index, ids: new Int32Array(length) }));
}

function takeAll(line: WaitingLine<string>, of: BatchLimits = limits): WaitingSequence<string>[][] {
  const batches: WaitingSequence<string>[][] = [];
  for (let batch = line.take(of); batch.length > 0; batch = line.take(of)) batches.push(batch);
  return batches;
}

const lengthsOf = (batch: readonly WaitingSequence<string>[]): number[] => batch.map(({ ids }) => ids.length);

const repeat = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('WaitingLine', () => {
  it('gives nothing where nothing waits', () => {
    expect(new WaitingLine(64).take(limits)).toEqual([]);
  });

  it('sorts a window by length, and the next window the other way round', () => {
    const line = new WaitingLine<string>(64);
    const lengths = Array.from({ length: 64 }, (_, index) => 2 + ((index * 37) % 64));
    line.put(sequences('a', [...lengths, ...lengths]), 'bulk');
    const order = takeAll(line).flatMap(lengthsOf);
    const sorted = lengths.toSorted((a, b) => a - b);
    expect(order).toEqual([...sorted, ...sorted.toReversed()]);
  });

  it('uses a window up before it looks at later arrivals', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('early', [90, 80, 70]), 'bulk');
    expect(lengthsOf(line.take(limits))).toEqual([70]);
    line.put(sequences('late', [2, 3]), 'bulk');
    expect(line.take(limits).map(({ call }) => call)).toEqual(['early']);
  });

  it('goes on into the next window while the batch has room', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('a', repeat(66, 2)), 'bulk');
    expect(line.take({ tokenBudget: 200, graph: 'packed' })).toHaveLength(66);
  });

  it('takes interactive first and fills up with bulk', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('bulk', [20, 20, 20, 20, 20]), 'bulk');
    line.put(sequences('interactive', [30]), 'interactive');
    expect(line.take(limits).map(({ call }) => call)).toEqual(['interactive', 'bulk', 'bulk', 'bulk']);
  });

  it('lets few interactive texts go alone once bulk had half a budget since the last ones did', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('bulk', repeat(40, 10)), 'bulk');
    const takeWith = (...interactive: number[]): string[] => {
      line.put(sequences('interactive', interactive), 'interactive');
      const batch = line.take(limits).map(({ call }) => call);
      return [...new Set(batch)];
    };
    expect(takeWith()).toEqual(['bulk']);
    expect(takeWith(10, 10)).toEqual(['interactive']);
    expect(takeWith(30, 30)).toEqual(['interactive', 'bulk']);
    expect(takeWith(10)).toEqual(['interactive', 'bulk']);
    expect(takeWith(10)).toEqual(['interactive']);
    expect(takeWith()).toEqual(['bulk']);
    expect(takeWith(30, 30)).toEqual(['interactive', 'bulk']);
  });

  it('counts what waits in each lane', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('bulk', [20, 90]), 'bulk');
    line.put(sequences('interactive', [7, 8]), 'interactive');
    line.put(sequences('gone', [9]), 'interactive');
    line.remove('gone');
    expect([line.tokensOf('interactive'), line.tokensOf('bulk'), line.tokens]).toEqual([15, 110, 125]);
    line.take(limits);
    expect([line.tokensOf('interactive'), line.tokensOf('bulk')]).toEqual([0, 90]);
  });

  it('gives bulk an eighth, however much is interactive', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('interactive', repeat(40, 100)), 'interactive');
    line.put(sequences('bulk', repeat(4, 100)), 'bulk');
    const calls = takeAll(line).map(([first]) => first?.call);
    expect(calls.indexOf('bulk')).toBe(8);
    expect(calls.indexOf('bulk', 9)).toBe(16);
  });

  it('gives interactive the first place in every batch that leaves bulk its share anyway', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('bulk', repeat(400, 10)), 'bulk');
    for (let batch = 0; batch < 30; batch += 1) {
      line.put(sequences('interactive', [20]), 'interactive');
      expect(line.take(limits)[0]?.call).toBe('interactive');
    }
  });

  it('owes bulk nothing for the time in which none waited', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('interactive', repeat(40, 100)), 'interactive');
    for (let batch = 0; batch < 20; batch += 1) line.take(limits);
    line.put(sequences('bulk', [10]), 'bulk');
    expect(line.take(limits)[0]?.call).toBe('interactive');
  });

  it('gives bulk its share of every run of batches in which it waits', () => {
    const budget = 256;
    const interactiveLengths = fc.array(fc.integer({ min: 2, max: 300 }), { minLength: 1, maxLength: 300 });
    const bulkLengths = fc.array(fc.integer({ min: 2, max: 300 }), { minLength: 40, maxLength: 120 });
    fc.assert(
      fc.property(
        fc.array(interactiveLengths, { minLength: 1, maxLength: 20 }),
        bulkLengths,
        fc.constantFrom('packed' as const, 'padded' as const),
        (interactive, bulk, graph) => {
          const line = new WaitingLine<string>(64);
          line.put(sequences('bulk', bulk), 'bulk');
          const longest = Math.max(...bulk);
          let left = bulk.length;
          // Least of (bulk tokens − an eighth of all tokens) since any earlier batch.
          let balance = 0;
          for (const lengths of interactive) {
            line.put(sequences('interactive', lengths), 'interactive');
            for (let turn = 0; turn < 3; turn += 1) {
              const batch = line.take({ tokenBudget: budget, graph });
              const given = batch.filter(({ call }) => call === 'bulk');
              left -= given.length;
              if (left === 0) return;
              const tokens = lengthsOf(batch).reduce((sum, length) => sum + length, 0);
              const bulkTokens = lengthsOf(given).reduce((sum, length) => sum + length, 0);
              balance = Math.min(0, balance + bulkTokens - tokens / 8);
              // A batch holds one sequence beyond its budget at most: 300 tokens alone.
              expect(balance).toBeGreaterThanOrEqual(-longest - 300 / 8);
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('forgets a call that is removed, in the window and behind it', () => {
    const line = new WaitingLine<string>(64);
    line.put(sequences('gone', repeat(70, 10)), 'bulk');
    line.put(sequences('stays', [10, 10]), 'bulk');
    line.take(limits);
    line.remove('gone');
    expect(line.texts).toBe(2);
    expect(line.tokens).toBe(20);
    expect(takeAll(line).flat()).toEqual(sequences('stays', [10, 10]));
  });

  it('gives every sequence exactly once, and counts what waits', () => {
    const puts = fc.array(
      fc.tuple(
        fc.constantFrom<Lane>('interactive', 'bulk'),
        fc.array(fc.integer({ min: 2, max: 300 }), { maxLength: 90 }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(puts, fc.constantFrom('packed' as const, 'padded' as const), (all, graph) => {
        const line = new WaitingLine<string>(64);
        const taken: WaitingSequence<string>[] = [];
        for (const [call, [lane, lengths]] of all.entries()) {
          line.put(sequences(String(call), lengths), lane);
          taken.push(...line.take({ tokenBudget: 256, graph }));
        }
        const total = all.reduce((sum, [, lengths]) => sum + lengths.length, 0);
        expect(line.texts).toBe(total - taken.length);
        taken.push(...takeAll(line, { tokenBudget: 256, graph }).flat());
        expect(line.texts).toBe(0);
        expect(line.tokens).toBe(0);
        expect(new Set(taken.map(({ call, index }) => `${call}/${index}`)).size).toBe(total);
        expect(taken).toHaveLength(total);
      }),
    );
  });
});
