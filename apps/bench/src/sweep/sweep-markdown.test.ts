import { expect, it } from 'vitest';
import { besideBertAsService } from './beside-bert-as-service.ts';
import { BULK, callsOf, ONE_TEXT } from './by-clients.ts';
import { curveOf, lineOf, loadAt } from './curve.fixture.ts';
import { sweepMarkdown } from './sweep-markdown.ts';
import { sweepPlots } from './sweep-plots.ts';

const points = [
  ...lineOf(ONE_TEXT, [50, 90]),
  ...lineOf(callsOf(64), [300, 330]),
  { series: BULK, x: 1, rounds: [loadAt(400, { redis: 0.2, worker: 4 })] },
];

it('has a row for each point, line by line, with what cannot be known as a dash', () => {
  const report = { bench: 'by-clients' as const, curves: [curveOf({ points })] };
  const markdown = sweepMarkdown(report, sweepPlots(report));
  const rows = markdown.split('\n').filter((line) => /^\| (one|64) /.test(line));
  expect(rows.map((row) => row.split(' | ').slice(0, 3))).toEqual([
    ['| one text a call', '1', '50.0'],
    ['| one text a call', '2', '90.0'],
    ['| 64 texts a call', '1', '300'],
    ['| 64 texts a call', '2', '330'],
    ['| one bulk call', '1', '400'],
  ]);
  expect(rows.at(-1)).toMatch(/\| 0\.50 \| 10\.0 \|$/);
  expect(rows[0]).toMatch(/\| – \| – \|$/);
  expect(markdown).toContain('AMD EPYC, 2 cores, 24 GiB. node 20.11.0, redis 7.0.15. Commit abc1234');
  expect(markdown).toContain('](by-clients-minilm.svg)');
});

it('sets the run before beside it, and warns where the machine was another', () => {
  const before = {
    date: '2025-05-05T00:00:00.000Z',
    commit: 'fff0000',
    differences: ['cores was 2, is 8'],
    ratios: [{ series: ONE_TEXT, x: 2, ratio: 1.25 }],
  };
  const markdown = sweepMarkdown({ bench: 'by-clients', curves: [curveOf({ points, before })] }, []);
  expect(markdown).toMatch(/\| one text a call \| 2 \|.*\| 1\.25 \|\n/);
  expect(markdown).toMatch(/\| one text a call \| 1 \|.*\| – \|\n/);
  expect(markdown).toContain('commit fff0000, 2025-05-05. Not the same, so that the ratios say little');
  expect(markdown).toContain('cores was 2, is 8');
});

it('draws lines of one place as a level, and keeps other terms in files of their own', () => {
  const curves = [curveOf({ points }), curveOf({ points, devices: 'cpu:1', workers: 2 })];
  const plots = sweepPlots({ bench: 'by-clients', curves });
  expect(plots.map(({ file }) => file)).toEqual([
    'by-clients-minilm.svg',
    'by-clients-MiniLM-6-384-uniform-40-2-workers-devices-cpu-1.svg',
  ]);
  const lines = [...(plots[0]?.svg.matchAll(/<polyline [^>]*points="([^"]*)"/g) ?? [])];
  expect(lines.map(([, places = '']) => places.split(' ').length)).toEqual([2, 2, 2]);
  expect(lines[2]?.[1]).toMatch(/^[\d.]+,([\d.]+) [\d.]+,\1$/);
});

it('names the hardware of published numbers, and how each curve runs', () => {
  const page = besideBertAsService([{ bench: 'by-clients', curves: [curveOf({ points })] }]);
  expect(page).toContain('Tesla M40 24 GB');
  expect(page).toContain('do not say which is faster');
  // Theirs in all is 2 × 261; ours stands where it was measured.
  expect(page).toContain('| 2 | 522 | 1.10 | 330 | 1.10 |');
  expect(page).toContain('| 32 | 544 | 1.15 | – | – |');
  expect(page).toContain('| 2 | 90.0 | 1.80 |');
});

it('shows no number of a quick run there', () => {
  const page = besideBertAsService([{ bench: 'by-clients', curves: [curveOf({ points, quick: true })] }]);
  expect(page).toContain('Nothing is measured yet.');
});
