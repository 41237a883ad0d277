import { digits, markdownTable } from '../markdown-table.ts';
import { BATCH_SERIES } from './by-batch.ts';
import { ONE_TEXT } from './by-clients.ts';
import { LAYER_SERIES } from './by-layer.ts';
import { LENGTH_SERIES } from './by-length.ts';
import { PUBLISHED } from './published-rows.ts';
import { medianLoad, pointsOf, type SweepCurve, type SweepReport } from './sweep-curve.ts';
import { settingLine } from './sweep-markdown.ts';
import { SWEEP_TITLES, curveTitle } from './sweep-titles.ts';

/** Of a table: what theirs has at each place, and which line of ours stands beside it. */
interface Side {
  readonly bench: SweepReport['bench'];
  readonly theirs: ReadonlyMap<number, number>;
  readonly theirColumn: string;
  readonly series: (curve: SweepCurve) => string | undefined;
  readonly says: string;
}

const SIDES: readonly Side[] = [
  {
    bench: 'by-clients',
    theirs: new Map([...PUBLISHED.byClients].map(([clients, each]) => [clients, clients * each])),
    theirColumn: 'texts/s in all',
    // As theirs: calls of many texts.
    series: ({ points }) => points.find(({ series }) => series.endsWith(' texts a call'))?.series,
    says:
      'Texts/s in all, in calls of many texts: theirs of 2,048, ours of fewer, so that 32 clients take seconds on two ' +
      'cores. Theirs is the published number a client times the clients.',
  },
  {
    bench: 'by-clients',
    theirs: new Map(),
    theirColumn: '',
    series: () => ONE_TEXT,
    says: 'Calls of one text, of which theirs has nothing published:',
  },
  {
    bench: 'by-length',
    theirs: PUBLISHED.byLength,
    theirColumn: 'texts/s',
    series: () => LENGTH_SERIES,
    says: 'Their texts are padded to `max_seq_len`; ours have that many tokens.',
  },
  {
    bench: 'by-batch',
    theirs: PUBLISHED.byBatch,
    theirColumn: 'texts/s',
    series: () => BATCH_SERIES,
    says: 'One client, one call after another.',
  },
  {
    bench: 'by-layer',
    theirs: PUBLISHED.byLayer,
    theirColumn: 'texts/s',
    series: () => LAYER_SERIES,
    says: '1 stands for layer -1. Both leave out the blocks behind the pooled one.',
  },
];

/** The page that sets what was measured beside what bert-as-service has published. */
export function besideBertAsService(reports: readonly SweepReport[]): string {
  const curves = reports.flatMap((report) => report.curves).filter(({ quick }) => !quick);
  const measured = SIDES.map((side) => ({
    side,
    curves: curves.filter(({ bench }) => bench === side.bench),
  })).filter(({ curves: own }) => own.length > 0);
  const blocks = [
    '# Beside bert-as-service',
    'Written by `npm run bench -- by-clients`, `by-length`, `by-batch` and `by-layer` from what they measured last.',
    '**The hardware is not the same, so the numbers of one row do not say which is faster.** Theirs, sequences/s of the ' +
      `final README (2018-12-05): ${PUBLISHED.hardware}; ${PUBLISHED.terms}. Ours: processor cores, models with random ` +
      'weights, with Redis and all clients on the same cores; the machine stands under each table. What can be compared is ' +
      'how a curve runs: the columns `÷ first` set each number beside the first of its column.',
    ...(measured.length === 0 ? ['Nothing is measured yet.'] : []),
    ...measured.flatMap(({ side, curves: own }, index) => [
      ...(measured[index - 1]?.side.bench === side.bench ? [] : [`## ${SWEEP_TITLES[side.bench].title}`]),
      side.says,
      table(side, own),
      ...own.map((curve) => `${curveTitle(curve)}: ${settingLine(curve)}`),
    ]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function table({ bench, theirs, theirColumn, series }: Side, curves: readonly SweepCurve[]): string {
  const columns = [
    ...(theirs.size === 0
      ? []
      : [{ header: `bert-as-service, ${PUBLISHED.hardware}, BERT-base, ${theirColumn}`, rates: theirs }]),
    ...curves.map((curve) => {
      const name = series(curve);
      const points = name === undefined ? [] : pointsOf(curve, name);
      const { cores } = curve.setting.machine;
      return {
        header: `ours, ${cores} cores, ${curveTitle(curve)}${name === undefined ? '' : `, ${name}`}, texts/s`,
        rates: new Map(points.map((point) => [point.x, medianLoad(point).textsPerSecond])),
      };
    }),
  ];
  const places = [...new Set(columns.flatMap(({ rates }) => [...rates.keys()]))].toSorted((a, b) => a - b);
  const rows = places.map((place) => [
    place,
    ...columns.flatMap(({ rates }) => {
      const [first = Number.NaN] = places.flatMap((one) => rates.get(one) ?? []);
      const rate = rates.get(place) ?? Number.NaN;
      return [digits(rate), digits(rate / first)];
    }),
  ]);
  return markdownTable(
    [SWEEP_TITLES[bench].x, ...columns.flatMap(({ header }) => [header, '÷ first'])],
    rows,
  );
}
