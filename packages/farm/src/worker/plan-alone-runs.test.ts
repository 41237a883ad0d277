import { describe, expect, it } from 'vitest';
import { MAX_LONE_DEATHS, planAloneRuns, type TextRange } from './plan-alone-runs.ts';

/** Runs a chunk again and again, as workers that die do. */
function runUntilDone(
  texts: number,
  kills: (range: TextRange) => boolean,
): { deaths: TextRange[]; givenUp: number[] } {
  const deaths: TextRange[] = [];
  for (;;) {
    const runs = planAloneRuns(texts, deaths);
    const places = runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at));
    expect(places.toSorted((a, b) => a - b)).toEqual(Array.from({ length: texts }, (_, place) => place));
    const deadly = runs.find((run) => !run.isGivenUp && kills(run));
    if (!deadly) {
      return { deaths, givenUp: runs.flatMap(({ from, isGivenUp }) => (isGivenUp ? [from] : [])) };
    }
    deaths.push({ from: deadly.from, to: deadly.to });
  }
}

const holds =
  (...culprits: number[]) =>
  ({ from, to }: TextRange): boolean =>
    culprits.some((culprit) => from <= culprit && culprit < to);

describe('the runs of a suspect', () => {
  it('are one of all its texts, as long as none has killed', () => {
    expect(planAloneRuns(256, [])).toEqual([{ from: 0, to: 256, isGivenUp: false }]);
  });

  it.each([1, 2, 15, 16, 17, 40, 255, 256])(
    'find any one text among %i within five deaths, and give up no other',
    (texts) => {
      for (let culprit = 0; culprit < texts; culprit += 1) {
        const { deaths, givenUp } = runUntilDone(texts, holds(culprit));
        expect(givenUp).toEqual([culprit]);
        expect(deaths.length).toBeLessThanOrEqual(2 + MAX_LONE_DEATHS);
      }
    },
  );

  it('find two texts, near or far from each other', () => {
    for (const [one, other] of [
      [0, 1],
      [0, 255],
      [15, 16],
      [100, 200],
    ] as const) {
      const { deaths, givenUp } = runUntilDone(256, holds(one, other));
      expect(givenUp).toEqual([one, other]);
      expect(deaths.length).toBeLessThanOrEqual(1 + 2 * (1 + MAX_LONE_DEATHS));
    }
  });

  it('find every text when all of them kill', () => {
    expect(runUntilDone(20, () => true).givenUp).toHaveLength(20);
  });

  it('pass texts that kill only in company', () => {
    expect(runUntilDone(256, ({ from, to }) => to - from > 4).givenUp).toEqual([]);
  });

  it('give up nothing when somebody else kills the worker, wherever it was, twice', () => {
    for (let place = 0; place < 256; place += 1) {
      const lone = { from: place, to: place + 1 };
      const deaths = [{ from: 0, to: 256 }, { from: 0, to: 16 }, lone, lone];
      expect(planAloneRuns(256, deaths).some(({ isGivenUp }) => isGivenUp)).toBe(false);
    }
  });

  it('begin with the smallest, so that what has passed need not pass again', () => {
    const deaths = [
      { from: 0, to: 256 },
      { from: 240, to: 256 },
    ];
    expect(planAloneRuns(256, deaths)[0]).toEqual({ from: 240, to: 241, isGivenUp: false });
  });

  it('take no notice of marks that are no part of a plan', () => {
    const whole = [{ from: 0, to: 8, isGivenUp: false }];
    expect(
      planAloneRuns(8, [
        { from: 3, to: 900 },
        { from: 5, to: 2 },
        { from: 0, to: 1 },
      ]),
    ).toEqual(whole);
  });
});
