import { colour } from './colours.ts';
import { ChartCard } from './chart-card.ts';
import { curveStory, type BenchCurve } from './bench-curve.ts';
import { make } from './elements.ts';
import { LivePlot } from './live-plot.ts';
import { percent, shortNumber } from './numerals.ts';
import { speedUp } from './speed-up.ts';
import { countAxis, countScale, doublingAxis, doublingScale, line } from './plot-parts.ts';

/** How many times one worker's throughput so many workers give, against that many times. */
export class SpeedUpChart {
  readonly #card = new ChartCard('speed-up');
  readonly #plot: LivePlot;
  #rows: readonly (readonly [workers: number, speedUp: number])[] = [];
  #curve: BenchCurve | undefined;
  #pointed: number | undefined;

  constructor() {
    this.#plot = new LivePlot(this.#card.plot, {
      scales: { x: doublingScale, y: countScale },
      axes: [doublingAxis(), countAxis()],
      series: [
        line('ideal', { dash: [5, 4], width: 1.25 }),
        line('throughput', { points: { show: true, size: 6, fill: () => colour('card') } }),
      ],
      onPoint: (index) => {
        this.#pointed = index;
        this.#writeLegend();
      },
    });
  }

  show(curve: BenchCurve | undefined): void {
    this.#curve = curve;
    this.#rows = speedUp(curve);
    if (this.#rows.length === 0) {
      this.#card.setEmpty('Not measured yet: ', make('code', {}, 'embedfarm bench by-workers'));
    } else this.#card.setEmpty();
    this.#plot.show([
      this.#rows.map(([workers]) => workers),
      this.#rows.map(([workers]) => workers),
      this.#rows.map(([, times]) => times),
    ]);
    this.#writeLegend();
    const words = this.#rows.map(([workers, times]) => `${workers}: ${shortNumber(times)} times`).join(', ');
    this.#card.tell(`Speed-up by number of workers. ${words || 'Not measured yet'}.`, () => ({
      head: ['Workers', 'Speed-up', 'Of ideal'],
      rows: this.#rows.map(([workers, times]) => [
        shortNumber(workers),
        `${shortNumber(times)} ×`,
        percent(times / workers),
      ]),
    }));
  }

  #writeLegend(): void {
    if (!this.#curve) {
      this.#card.setLegend([]);
      return;
    }
    const [workers, times] = this.#rows[this.#pointed ?? this.#rows.length - 1] ?? [1, 1];
    this.#card.setMoment(`${workers} ${workers === 1 ? 'worker' : 'workers'}`);
    this.#card.setLegend([
      {
        name: 'throughput',
        label: 'measured',
        title: curveStory(this.#curve),
        value: `${shortNumber(times)} × (${percent(times / workers)})`,
      },
      { name: 'ideal', label: 'ideal', key: 'dashed', value: `${shortNumber(workers)} ×` },
    ]);
  }
}
