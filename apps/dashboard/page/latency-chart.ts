import type { Lane } from '@embedfarm/contract';
import type uPlot from 'uplot';
import type { BoardView } from './board-memory.ts';
import { ChartCard, type LegendEntry } from './chart-card.ts';
import { colour } from './colours.ts';
import { LANES } from './figures.ts';
import { bucketsOf, LATENCY_EDGES_MS, quantile } from './histogram.ts';
import { LivePlot } from './live-plot.ts';
import { duration } from './numerals.ts';
import { clockText, line, powerText, tensAxis, tensScale, timeAxis, veilFrom } from './plot-parts.ts';
import { RANGES, type Range } from './time-buckets.ts';

interface Curve {
  readonly lane: Lane;
  readonly share: number;
  readonly label: string;
}

const CURVES: readonly Curve[] = LANES.flatMap((lane) => [
  { lane, share: 0.5, label: `${lane} p50` },
  { lane, share: 0.95, label: `${lane} p95` },
]);

/** From submit to vector, a point a minute, by powers of ten. */
export class LatencyChart {
  readonly #card = new ChartCard('latency');
  readonly #plot: LivePlot;
  #seconds: readonly number[] = [];
  #values: readonly (readonly (number | null)[])[] = [];
  #pointed: number | undefined;

  constructor() {
    this.#plot = new LivePlot(this.#card.plot, {
      scales: { y: tensScale },
      axes: [timeAxis, tensAxis(powerText)],
      series: CURVES.map(({ lane, share }) => line(lane, { ...look(share), spanGaps: true })),
      onPoint: (index) => {
        this.#pointed = index;
        this.#writeLegend();
      },
      // The current minute goes on.
      onDraw: (plot) => veilFrom((this.#seconds.at(-2) ?? Infinity) + 1)(plot),
    });
  }

  show({ minutes }: BoardView, range: Range): void {
    const newest = minutes.at(-1)?.minute ?? 0;
    const shown = minutes.filter(({ minute }) => minute > newest - RANGES[range].seconds / 60 - 1);
    this.#seconds = shown.map(({ minute }) => minute * 60);
    this.#values = CURVES.map(({ lane, share }) =>
      shown.map(({ lanes }) => quantile(bucketsOf(lanes[lane].latencyMs, LATENCY_EDGES_MS), share) ?? null),
    );
    this.#plot.show([[...this.#seconds], ...this.#values.map((values) => [...values])]);
    this.#writeLegend();
    const isEmpty = this.#values.every((values) => values.every((value) => value === null));
    if (isEmpty) this.#card.setEmpty(`No chunk ended in ${RANGES[range].words}.`);
    else this.#card.setEmpty();
    const words = CURVES.map(
      ({ label }, at) => `${label} ${duration(this.#values[at]?.at(-1) ?? undefined)}`,
    );
    this.#card.tell(`Time from submit to vector, by minute. Now: ${words.join(', ')}.`, () => ({
      head: ['Minute', ...CURVES.map(({ label }) => label)],
      rows: this.#seconds
        .map((second, index) => [
          clockText(second, '1h'),
          ...this.#values.map((values) => duration(values[index] ?? undefined)),
        ])
        .toReversed(),
    }));
  }

  #writeLegend(): void {
    const at = this.#pointed ?? this.#seconds.length - 1;
    const second = this.#seconds[at];
    this.#card.setMoment(this.#pointed === undefined || second === undefined ? '' : clockText(second, '1h'));
    this.#card.setLegend(
      CURVES.map(({ lane, share, label }, index): LegendEntry => ({
        name: lane,
        label,
        key: share === 0.5 ? 'dashed' : 'line',
        value: duration(this.#values[index]?.[at] ?? undefined),
      })),
    );
  }
}

/** The tail is what hurts: its line is whole. */
function look(share: number): uPlot.Series {
  // Of an hour the line is enough.
  const points: uPlot.Series.Points = {
    show: (_plot, _series, first, last) => last - first < 12,
    size: 5,
    fill: () => colour('card'),
  };
  return share === 0.5 ? { dash: [3, 3], width: 1.25, points: { show: false } } : { points };
}
