import type uPlot from 'uplot';
import type { BoardView } from './board-memory.ts';
import { ChartCard, type LegendEntry } from './chart-card.ts';
import { clientsRows, type ClientsRow } from './clients-rows.ts';
import { curveStory, type BenchCurve } from './bench-curve.ts';
import { make } from './elements.ts';
import { LivePlot } from './live-plot.ts';
import { shortNumber } from './numerals.ts';
import {
  countAxis,
  countScale,
  dots,
  doublingAxis,
  doublingScale,
  line,
  tensAxis,
  tensScale,
} from './plot-parts.ts';

/** A median over fewer seconds is drawn hollow. */
const FEW_SECONDS = 5;

/** Throughput against num_client: what the last hour gave, over what a benchmark measured. */
export class ClientsChart {
  readonly #card: ChartCard;
  readonly #isPerClient: boolean;
  readonly #plot: LivePlot;
  #rows: readonly ClientsRow[] = [];
  #curve: BenchCurve | undefined;
  #pointed: number | undefined;

  constructor(name: 'clients-total' | 'clients-per-client') {
    this.#isPerClient = name === 'clients-per-client';
    this.#card = new ChartCard(name);
    this.#plot = new LivePlot(this.#card.plot, {
      scales: { x: doublingScale, y: this.#isPerClient ? tensScale : countScale },
      axes: [doublingAxis(), this.#isPerClient ? tensAxis(shortNumber) : countAxis()],
      series: [line('bench', { spanGaps: true }), dots('live', false), dots('live', true)],
      onPoint: (index) => {
        this.#pointed = index;
        this.#writeLegend();
      },
    });
  }

  show({ byClients }: BoardView, curve: BenchCurve | undefined): void {
    this.#curve = curve;
    this.#rows = clientsRows(byClients, curve, this.#isPerClient);
    this.#plot.show(plotData(this.#rows));
    this.#writeLegend();
    if (this.#rows.length > 0) this.#card.setEmpty();
    else
      this.#card.setEmpty(
        'No client was at work in the last hour. ',
        make('code', {}, 'embedfarm bench by-clients'),
        ' stores a curve to compare with.',
      );
    const words = this.#rows.map(
      ({ clients, live, bench }) => `${clients}: ${shortNumber(live ?? bench ?? undefined)}`,
    );
    // As many as a person listens to.
    const told = words.length > 12 ? [...words.slice(0, 11), words.at(-1)] : words;
    this.#card.tell(`Texts per second by number of clients. ${told.join(', ') || 'Nothing yet'}.`, () => ({
      head: ['Clients', 'Last hour', 'Seconds', 'Benchmark'],
      rows: this.#rows.map(({ clients, live, seconds, bench }) => [
        shortNumber(clients),
        shortNumber(live ?? undefined),
        seconds === 0 ? '' : shortNumber(seconds),
        shortNumber(bench ?? undefined),
      ]),
    }));
  }

  #writeLegend(): void {
    const row = this.#pointed === undefined ? undefined : this.#rows[this.#pointed];
    this.#card.setMoment(row ? `${row.clients} ${row.clients === 1 ? 'client' : 'clients'}` : '');
    const value = (number: number | null | undefined): string | undefined =>
      row ? shortNumber(number ?? undefined) : undefined;
    const live: LegendEntry = { name: 'live', label: 'the last hour', key: 'dot', value: value(row?.live) };
    const bench: LegendEntry = this.#curve
      ? { name: 'bench', label: 'benchmark', title: curveStory(this.#curve), value: value(row?.bench) }
      : { name: 'bench', label: 'no benchmark stored' };
    this.#card.setLegend([live, bench]);
  }
}

function plotData(rows: readonly ClientsRow[]): uPlot.AlignedData {
  return [
    rows.map(({ clients }) => clients),
    rows.map(({ bench }) => bench),
    rows.map(({ live, seconds }) => (seconds >= FEW_SECONDS ? live : null)),
    rows.map(({ live, seconds }) => (seconds < FEW_SECONDS ? live : null)),
  ];
}
