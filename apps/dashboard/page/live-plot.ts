import uPlot from 'uplot';
import { colour, onColoursChange } from './colours.ts';

export interface LivePlotOptions {
  readonly series: readonly uPlot.Series[];
  readonly scales: uPlot.Scales;
  readonly axes: readonly uPlot.Axis[];
  /** Called with the column under the pointer, or undefined where there is none. */
  readonly onPoint?: (index: number | undefined) => void;
  /** Drawn over the series. */
  readonly onDraw?: (plot: uPlot) => void;
}

const FONT = '11px "Segoe UI", "Helvetica Neue", Arial, sans-serif';
const HEIGHT_PX = 176;

/**
 * A uPlot as wide as its host. It takes data at any time, and draws only while it can be seen: in the window, of a
 * page that is not hidden.
 */
export class LivePlot {
  readonly #host: HTMLElement;
  readonly #options: LivePlotOptions;
  #plot: uPlot | undefined;
  #data: uPlot.AlignedData | undefined;
  #isSeen = false;
  #isDrawn = true;

  constructor(host: HTMLElement, options: LivePlotOptions) {
    this.#host = host;
    this.#options = options;
    const seen = new IntersectionObserver(
      (entries) => {
        this.#isSeen = entries.at(-1)?.isIntersecting ?? false;
        this.#draw();
      },
      { rootMargin: '150px' },
    );
    seen.observe(host);
    new ResizeObserver(() => {
      const width = host.clientWidth;
      if (this.#plot && width > 0) this.#plot.setSize({ width, height: HEIGHT_PX });
    }).observe(host);
    document.addEventListener('visibilitychange', () => this.#draw());
    onColoursChange(() => this.#plot?.redraw(false));
  }

  show(data: uPlot.AlignedData): void {
    if (this.#data && isSame(data, this.#data)) return;
    this.#data = data;
    this.#isDrawn = false;
    this.#draw();
  }

  #draw(): void {
    if (this.#isDrawn || !this.#data || !this.#isSeen || document.hidden || this.#host.clientWidth === 0)
      return;
    this.#isDrawn = true;
    if (this.#plot) this.#plot.setData(this.#data);
    else this.#open(this.#data);
    this.#host.closest<HTMLElement>('[data-chart]')?.setAttribute('data-ready', '');
  }

  #open(data: uPlot.AlignedData): void {
    const { series, scales, axes, onPoint, onDraw } = this.#options;
    this.#plot = new uPlot(
      {
        width: this.#host.clientWidth,
        height: HEIGHT_PX,
        series: [{}, ...series],
        scales,
        axes: axes.map((axis) => ({ ...AXIS, ...axis, grid: { ...AXIS.grid, ...axis.grid } })),
        padding: [8, axes.length > 2 ? 0 : 18, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { size: 7 },
        },
        hooks: {
          setCursor: [({ cursor }) => onPoint?.(cursor.idx ?? undefined)],
          ...(onDraw ? { draw: [onDraw] } : {}),
        },
      },
      data,
      this.#host,
    );
  }
}

/** A second in which nothing happened costs no drawing. */
function isSame(left: uPlot.AlignedData, right: uPlot.AlignedData): boolean {
  return left.every((row, at) => {
    const other = right[at];
    return (
      row.length === other?.length &&
      Array.prototype.every.call(row, (value, index) => value === other[index])
    );
  });
}

const AXIS = {
  font: FONT,
  stroke: () => colour('quiet'),
  grid: { stroke: () => colour('grid'), width: 1 },
  ticks: { show: false },
  gap: 6,
  size: 26,
} satisfies uPlot.Axis;
