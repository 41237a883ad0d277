import { describe, expect, it } from 'vitest';
import { linePlot } from './line-plot.ts';
import { logScale, roundTicks } from './log-scale.ts';
import { spreadLabels } from './spread-labels.ts';

describe('logScale', () => {
  it('gives every doubling the same length, in either direction', () => {
    const right = logScale({ min: 16, max: 512 }, { from: 0, to: 500 });
    expect([16, 32, 64, 512].map((value) => Math.round(right.place(value)))).toEqual([0, 100, 200, 500]);
    const up = logScale({ min: 1, max: 100 }, { from: 300, to: 100 });
    expect([1, 10, 100].map((value) => Math.round(up.place(value)))).toEqual([300, 200, 100]);
  });

  it('puts an only value in the middle', () => {
    expect(logScale({ min: 64, max: 64 }, { from: 0, to: 100 }).place(64)).toBe(50);
  });
});

describe('roundTicks', () => {
  it.each([
    [18, 430, [10, 20, 50, 100, 200, 500]],
    [20, 200, [20, 50, 100, 200]],
    [0.3, 1.1, [0.2, 0.5, 1, 2]],
    [7, 7, [5, 10]],
  ])('encloses %d to %d', (least, most, ticks) => {
    expect(roundTicks(least, most)).toEqual(ticks);
  });
});

describe('spreadLabels', () => {
  const range = { gap: 10, min: 0, max: 100 };

  it('leaves labels that have room where they are', () => {
    expect(spreadLabels([50, 20, 90], range)).toEqual([50, 20, 90]);
  });

  it('moves labels apart without changing their order, and keeps them within the range', () => {
    expect(spreadLabels([50, 49, 51], range)).toEqual([59, 49, 69]);
    expect(spreadLabels([99, 98, 100], range)).toEqual([90, 80, 100]);
  });
});

describe('linePlot', () => {
  const svg = linePlot({
    title: 'Speed & <length>',
    xTitle: 'tokens per text',
    yTitle: 'texts per second',
    series: [
      {
        label: 'ours',
        tone: 'own',
        stroke: 'solid',
        points: [
          [16, 1_000],
          [64, 100],
          [256, 10],
        ],
      },
      {
        label: 'theirs',
        tone: 'other',
        stroke: 'dashed',
        points: [
          [16, 500],
          [256, 20],
        ],
      },
    ],
  });

  it('is well-formed: every element is closed, and text cannot end one', () => {
    expect(unclosed(svg)).toEqual([]);
    expect(svg).toContain('Speed &amp; &lt;length&gt;</title>');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('puts points where the axes say: the same factor is the same way', () => {
    const [ours = []] = polylines(svg);
    const [[left, top] = [], [middle, half] = [], [right, bottom] = []] = ours;
    expect(Number(middle) - Number(left)).toBeCloseTo(Number(right) - Number(middle), 0);
    expect(Number(half) - Number(top)).toBeCloseTo(Number(bottom) - Number(half), 0);
    const tickY = /y2="([\d.]+)"\/><text[^>]*>1,000</.exec(svg)?.[1];
    expect(Number(tickY)).toBe(top);
    const tickX = /x2="([\d.]+)" y2="[\d.]+"\/><text[^>]*>64</.exec(svg)?.[1];
    expect(Number(tickX)).toBe(middle);
  });

  it('names every line, marks every point, and has colours for light and for dark pages', () => {
    expect(svg).toMatch(/class="own-label"[^>]*>ours</);
    expect(svg).toMatch(/class="other-label"[^>]*>theirs</);
    expect(svg.match(/<circle /g)).toHaveLength(5);
    expect(svg).toContain('class="line other dashed"');
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
  });
});

function polylines(svg: string): number[][][] {
  return [...svg.matchAll(/points="([^"]+)"/g)].map(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  );
}

/** Names of elements that are open at the end, or closed by another's end. */
function unclosed(svg: string): string[] {
  const open: string[] = [];
  for (const [, slash, name = '', isEmpty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (slash === '/' && open.at(-1) === name) open.pop();
    else if (isEmpty !== '/') open.push(`${slash}${name}`);
  }
  return open;
}
