import { digits, markdownTable, percent } from '../markdown-table.ts';
import { REACH_HEADERS, reachCells } from '../reach.ts';
import {
  medianLoad,
  type MeasuredPoint,
  type PointLoad,
  type SweepCurve,
  type SweepReport,
} from './sweep-curve.ts';
import type { SweepPlot } from './sweep-plots.ts';
import { sweepReach } from './sweep-reach.ts';
import { curveTitle, SWEEP_TITLES } from './sweep-titles.ts';

/** A report for people. */
export function sweepMarkdown({ bench, curves }: SweepReport, plots: readonly SweepPlot[]): string {
  const reach = curves.flatMap((curve) =>
    sweepReach(curve).map((one) => [curveTitle(curve), ...reachCells(one)]),
  );
  const blocks = [
    `# ${SWEEP_TITLES[bench].title}`,
    'Through the whole farm on one machine: Redis, worker processes, client processes. Each number is the median over the ' +
      'measured rounds, which go through all places in turn; ratios are taken within a round first. Models with random ' +
      `weights, float32. Rounds one by one: ${bench}.json.`,
    ...(reach.length === 0 ? [] : ['## Reach', markdownTable(['model', ...REACH_HEADERS], reach)]),
    ...curves.flatMap((curve) => [
      `## ${curveTitle(curve)}`,
      ...(curve.quick ? ['**A quick run: it shows that the bench works. Its numbers mean nothing.**'] : []),
      settingLine(curve),
      ...curve.notes,
      pointsTable(curve),
      ...comparisonLines(curve),
      ...plots.filter((plot) => plot.curve === curve).map(({ title, file }) => `![${title}](${file})`),
    ]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Where, with what and when it was measured. */
export function settingLine({ setting, rounds, seed, minutes }: SweepCurve): string {
  const { machine, versions, commit, command, date } = setting;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return (
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB. ${libraries.join(', ')}. Commit ${commit}, ` +
    `${date.slice(0, 10)}. ${rounds} rounds, seed ${seed}, ${minutes.toFixed(1)} minutes. \`${command}\``
  );
}

type Column = readonly [header: string, cell: (load: PointLoad) => string];

const RATES: readonly Column[] = [
  ['texts/s', (load) => digits(load.textsPerSecond)],
  ['tokens/s', (load) => digits(load.tokensPerSecond)],
];
const PER_CLIENT: Column = [
  'texts/s a client',
  ({ perClient }) => (perClient ? digits(perClient.median) : '–'),
];
const LATENCY: readonly Column[] = [
  ['p50 ms', ({ latency }) => (latency ? digits(latency.p50Ms) : '–')],
  ['p99 ms', ({ latency }) => (latency ? digits(latency.p99Ms) : '–')],
];
const WORK: readonly Column[] = [
  ['tokens per batch', ({ work }) => (work ? digits(work.tokensPerBatch) : '–')],
  ['batch fill', ({ work }) => (work ? percent(work.batchFill) : '–')],
  ['device busy', ({ work }) => (work ? percent(work.busyShare) : '–')],
];
const cpuColumn = (part: string): Column => [
  `${part}, CPU s per 1,000 texts`,
  ({ cpuSeconds, texts }) => {
    const seconds = cpuSeconds[part];
    return seconds === undefined ? '–' : digits((seconds * 1_000) / texts);
  },
];

function pointsTable(curve: SweepCurve): string {
  const parts = [
    ...new Set(
      curve.points.flatMap(({ rounds }) => rounds.flatMap(({ cpuSeconds }) => Object.keys(cpuSeconds))),
    ),
  ];
  const columns: readonly Column[] = [
    ...RATES,
    ...(curve.bench === 'by-clients' ? [PER_CLIENT] : []),
    ...LATENCY,
    ...WORK,
    ...parts.map(cpuColumn),
  ];
  const hasX = SWEEP_TITLES[curve.bench].x !== '–';
  const ratios = curve.before?.ratios ?? [];
  const ratioCell = ({ series, x }: MeasuredPoint): string =>
    digits(ratios.find((one) => one.series === series && one.x === x)?.ratio ?? Number.NaN);
  const rows = inOrder(curve).map((point) => {
    const load = medianLoad(point);
    return [
      point.series,
      ...(hasX ? [point.x] : []),
      ...columns.map(([, cell]) => cell(load)),
      ...(ratios.length > 0 ? [ratioCell(point)] : []),
    ];
  });
  const headers = [
    '',
    ...(hasX ? [SWEEP_TITLES[curve.bench].x] : []),
    ...columns.map(([header]) => header),
    ...(ratios.length > 0 ? ['texts/s ÷ before'] : []),
  ];
  return markdownTable(headers, rows);
}

/** Line by line, each by rising x. */
function inOrder({ points }: SweepCurve): MeasuredPoint[] {
  const names = [...new Set(points.map(({ series }) => series))];
  return points.toSorted((a, b) => names.indexOf(a.series) - names.indexOf(b.series) || a.x - b.x);
}

function comparisonLines({ before }: SweepCurve): string[] {
  if (before === undefined) return [];
  const { date, commit, differences } = before;
  const changed =
    differences.length === 0
      ? 'Machine and versions are the same.'
      : `Not the same, so that the ratios say little of the code: ${differences.join('; ')}.`;
  return [`Before: commit ${commit}, ${date.slice(0, 10)}. ${changed}`];
}
