import type { BoardPoint } from '../src/board-shape.ts';
import type { BoardView } from './board-memory.ts';
import { find, write } from './elements.ts';
import { figuresOf, type FigureName } from './figures.ts';
import { calmDuration, duration, exactNumber, percent, shortNumber } from './numerals.ts';
import { Sparkline } from './sparkline.ts';
import { heldOver, timeBuckets } from './time-buckets.ts';

/** How each figure reads; those without a word here are counts. */
const FORMATS: Readonly<Partial<Record<FigureName, (value: number | undefined) => string>>> = {
  'workers-alive': exactNumber,
  'workers-busy': exactNumber,
  clients: exactNumber,
  failures: exactNumber,
  'clears-in': calmDuration,
  oldest: calmDuration,
  'p50-interactive': duration,
  'p95-interactive': duration,
  'p50-bulk': duration,
  'p95-bulk': duration,
  'cache-hits': percent,
};

/** By the name that index.html gives the trend: its colours, and what of a second they draw. */
const TRENDS: Readonly<
  Record<string, readonly (readonly [colour: string, value: (point: BoardPoint) => number | null])[]>
> = {
  waiting: [
    ['bulk', ({ backlog }) => backlog && backlog.bulk],
    ['interactive', ({ backlog }) => backlog && backlog.interactive],
  ],
  oldest: [['oldest', ({ oldestMs }) => oldestMs]],
  texts: [['throughput', ({ texts }) => texts]],
  busy: [['throughput', ({ busyWorkers }) => busyWorkers]],
  clients: [['live', ({ clients }) => clients]],
  failed: [['bad', ({ failed }) => failed]],
};

/** The numbers at the top of the page. `data-value` holds each as it is, for who reads it by machine. */
export class FigureTiles {
  readonly #figures = [...document.querySelectorAll<HTMLElement>('[data-figure]')];
  readonly #trends = [...document.querySelectorAll<HTMLElement>('[data-trend]')].map((host) => {
    const lines = TRENDS[host.dataset['trend'] ?? ''] ?? [];
    return {
      lines,
      sparkline: new Sparkline(
        host,
        lines.map(([name]) => name),
      ),
    };
  });
  readonly #cacheMeter = find<HTMLProgressElement>('#cache-meter');

  show(view: BoardView): void {
    const figures = figuresOf(view);
    for (const element of this.#figures) {
      const name = element.dataset['figure'] as FigureName;
      const value = figures[name];
      element.dataset['value'] = value === undefined ? '' : String(value);
      write(element, (FORMATS[name] ?? shortNumber)(value));
    }
    document.documentElement.classList.toggle('has-failures', (figures.failures ?? 0) > 0);
    this.#cacheMeter.value = figures['cache-hits'] ?? 0;
    this.#cacheMeter.hidden = figures['cache-hits'] === undefined;
    const points = timeBuckets(view.points, '5min', 1).map(({ points: [point] }) => point);
    for (const { lines, sparkline } of this.#trends) {
      sparkline.show(
        lines.map(([, value]) => heldOver(points.map((point) => (point ? value(point) : null)))),
      );
    }
    document.title = `${shortNumber(figures['texts-per-second'])} texts/s · Embedfarm`;
  }
}
