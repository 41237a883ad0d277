import { historyOf, type BoardView } from './board-memory.ts';
import { ChartCard } from './chart-card.ts';
import { colour } from './colours.ts';
import { LivePlot } from './live-plot.ts';
import { calmDuration, shortNumber } from './numerals.ts';
import { ageAxis, area, clockText, countAxis, countScale, line, timeAxis, veilFrom } from './plot-parts.ts';
import {
  heldOver,
  isUnfinished,
  meanOf,
  RANGES,
  timeBuckets,
  type Range,
  type TimePoint,
} from './time-buckets.ts';

const BUCKET_SECONDS: Readonly<Record<Range, number>> = { '5min': 1, '1h': 20 };

/** A second in which nobody looked is as the one before. */
const HELD_SECONDS = 5;

type DepthRow = readonly [
  second: number,
  interactive: number | null,
  bulk: number | null,
  oldestMs: number | null,
];

/** Jobs that wait, stacked by lane, with the age of the oldest: percentiles go quiet just when a queue is stuck. */
export class DepthChart {
  readonly #card = new ChartCard('depth');
  readonly #plot: LivePlot;
  #rows: readonly DepthRow[] = [];
  #range: Range = '5min';
  #veil: number | undefined;
  #pointed: number | undefined;

  constructor() {
    this.#plot = new LivePlot(this.#card.plot, {
      scales: { y: countScale, age: { range: (_plot, _min, max) => [0, Math.max(1_000, max * 1.1)] } },
      axes: [timeAxis, countAxis(), ageAxis],
      series: [
        area('bulk'),
        area('interactive', { fill: () => `${colour('interactive')}44` }),
        line('oldest', { scale: 'age', width: 1.25, dash: [5, 4] }),
      ],
      onPoint: (index) => {
        this.#pointed = index;
        this.#writeLegend();
      },
      onDraw: (plot) => veilFrom(this.#veil)(plot),
    });
  }

  show(view: BoardView, range: Range): void {
    const seconds = BUCKET_SECONDS[range];
    const points = historyOf(view);
    const buckets = timeBuckets(points, range, seconds);
    this.#range = range;
    const row = (value: (point: TimePoint) => number | null): readonly (number | null)[] =>
      heldOver(
        buckets.map((bucket) => meanOf(bucket, value)),
        HELD_SECONDS / seconds,
      );
    const interactives = row(({ backlog }) => backlog && backlog.interactive);
    const bulks = row(({ backlog }) => backlog && backlog.bulk);
    const ages = row(({ oldestMs }) => oldestMs);
    this.#rows = buckets.map(({ second }, at) => [
      second,
      interactives[at] ?? null,
      bulks[at] ?? null,
      ages[at] ?? null,
    ]);
    const last = buckets.at(-1);
    this.#veil = last && isUnfinished(last, seconds) ? last.second - seconds : undefined;
    const greatest = Math.max(0, ...buckets.flatMap((bucket) => bucket.points.map(waitingIn)));
    this.#plot.show([
      this.#rows.map(([second]) => second),
      this.#rows.map(([, interactive, bulk]) => (bulk === null ? null : bulk + (interactive ?? 0))),
      this.#rows.map(([, interactive]) => interactive),
      this.#rows.map(([, , , oldest]) => oldest),
    ]);
    this.#writeLegend();
    if (greatest > 0 || points.length === 0) this.#card.setEmpty();
    else this.#card.setEmpty(`No job waited in ${RANGES[range].words}.`);
    this.#card.tell(
      `Jobs waiting in ${RANGES[range].words}: ${this.#words(this.#rows.at(-1))}; at most ${shortNumber(greatest)}.`,
      () => ({
        head: ['Time', 'Interactive', 'Bulk', 'Oldest'],
        rows: this.#rows
          .filter(([, interactive]) => interactive !== null)
          .toReversed()
          .map(([second, interactive, bulk, oldest]) => [
            clockText(second, range),
            shortNumber(interactive ?? undefined),
            shortNumber(bulk ?? undefined),
            calmDuration(oldest ?? undefined),
          ]),
      }),
    );
  }

  #words(row: DepthRow | undefined): string {
    const [, interactive, bulk, oldest] = row ?? [];
    return `${shortNumber(interactive ?? undefined)} interactive, ${shortNumber(bulk ?? undefined)} bulk, the oldest ${calmDuration(oldest ?? undefined)} old`;
  }

  #writeLegend(): void {
    const row = this.#rows[this.#pointed ?? this.#rows.length - 1];
    const [second, interactive, bulk, oldest] = row ?? [];
    this.#card.setMoment(
      this.#pointed === undefined || second === undefined ? '' : clockText(second, this.#range),
    );
    this.#card.setLegend([
      {
        name: 'interactive',
        label: 'interactive',
        key: 'area',
        value: shortNumber(interactive ?? undefined),
      },
      { name: 'bulk', label: 'bulk', key: 'area', value: shortNumber(bulk ?? undefined) },
      { name: 'oldest', label: 'age of the oldest', key: 'dashed', value: calmDuration(oldest ?? undefined) },
    ]);
  }
}

/** Jobs of both lanes; of some seconds in one, the most of them. */
function waitingIn(point: TimePoint): number {
  if ('maxBacklog' in point) return point.maxBacklog;
  return (point.backlog?.interactive ?? 0) + (point.backlog?.bulk ?? 0);
}
