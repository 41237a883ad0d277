import type uPlot from 'uplot';
import { colour } from './colours.ts';
import { calmDuration, shortNumber } from './numerals.ts';
import type { Range } from './time-buckets.ts';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const clockSeconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/** Axes, scales and series that several charts share. */
export const timeAxis: uPlot.Axis = {
  space: 44,
  incrs: [60, 300, 600, 900, 1_800],
  values: (_plot, splits) => splits.map((second) => clock.format(second * 1_000)),
  grid: { show: false },
};

export function clockText(second: number, range: Range): string {
  return (range === '1h' ? clock : clockSeconds).format(second * 1_000);
}

/** Counts from 0; of nothing, up to 1. */
export const countScale: uPlot.Scale = {
  range: (_plot, _min, max) => [0, max > 0 ? niceTop(max) : 1],
};

export function countAxis(options: uPlot.Axis = {}): uPlot.Axis {
  return {
    space: 32,
    size: axisSize,
    values: (_plot, splits) => splits.map((value) => (value === null ? '' : shortNumber(value))),
    ...options,
  };
}

const TIME_STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
  604_800,
].map((seconds) => seconds * 1_000);

/** Ages in ms, on the right, without a grid of their own. */
export const ageAxis: uPlot.Axis = {
  scale: 'age',
  side: 1,
  space: 32,
  size: axisSize,
  incrs: TIME_STEPS_MS,
  values: (_plot, splits) => splits.map((ms) => calmDuration(ms)),
  grid: { show: false },
};

/** By whole powers of ten, at least two of them. */
export const tensScale: uPlot.Scale = {
  distr: 3,
  range: (_plot, min, max) => {
    if (!(min > 0 && max > 0)) return [1, 1_000];
    const first = Math.floor(Math.log10(min));
    return [10 ** first, 10 ** Math.max(Math.ceil(Math.log10(max)), first + 1)];
  },
};

/** A word for each power of ten; the lines between them would be a fence. */
export function tensAxis(text: (value: number) => string): uPlot.Axis {
  return {
    size: axisSize,
    splits: (_plot, _axis, min, max) => {
      const first = Math.round(Math.log10(min));
      const powers = Math.round(Math.log10(max)) - first;
      const step = Math.ceil(powers / 5);
      return Array.from({ length: Math.floor(powers / step) + 1 }, (_, at) => 10 ** (first + at * step));
    },
    filter: (_plot, splits) => splits,
    values: (_plot, splits) => splits.map((value) => (value === null ? '' : text(value))),
  };
}

/** num_client, by powers of two. */
export const doublingScale: uPlot.Scale = {
  time: false,
  distr: 3,
  log: 2,
  range: (_plot, min, max) => [Math.min(1, min || 1) / 1.15, Math.max(4, max || 1) * 1.15],
};

export function doublingAxis(): uPlot.Axis {
  return {
    splits: (plot, _axis, min, max) => {
      const doublings = Math.floor(Math.log2(max));
      // About seven words fit.
      const step = Math.max(1, Math.ceil(doublings / Math.max(3, plot.width / 60)));
      return Array.from({ length: Math.floor(doublings / step) + 1 }, (_, at) => 2 ** (at * step)).filter(
        (value) => value >= min,
      );
    },
    filter: (_plot, splits) => splits,
    values: (_plot, splits) => splits.map((value) => (value === null ? '' : shortNumber(value))),
    grid: { show: false },
  };
}

export function line(name: string, options: uPlot.Series = {}): uPlot.Series {
  return {
    label: name,
    stroke: () => colour(name),
    width: 1.75,
    points: { show: false },
    ...options,
  };
}

/** A line with what is below it tinted. */
export function area(name: string, options: uPlot.Series = {}): uPlot.Series {
  return line(name, { fill: () => `${colour(name)}22`, ...options });
}

/** Points without a line; `isHollow` where few seconds stand behind them. */
export function dots(name: string, isHollow: boolean): uPlot.Series {
  return {
    label: name,
    stroke: () => colour(name),
    paths: () => null,
    points: {
      show: true,
      size: 6,
      width: 1.5,
      stroke: () => colour(name),
      fill: () => colour(isHollow ? 'card' : name),
    },
  };
}

/** Pales what is drawn of the last bucket: it is not over. */
export function veilFrom(second: number | undefined): (plot: uPlot) => void {
  return (plot) => {
    if (second === undefined) return;
    const { ctx, bbox } = plot;
    const x = Math.max(bbox.left, plot.valToPos(second, 'x', true));
    ctx.save();
    ctx.globalAlpha = 0.55;
    ctx.fillStyle = colour('card');
    ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
    ctx.restore();
  };
}

/** As wide as its widest word. */
function axisSize(plot: uPlot, values: string[] | null, axisIndex: number, cycle: number): number {
  const axis = plot.axes[axisIndex] as uPlot.Axis & { readonly _size: number };
  if (cycle > 1) return axis._size;
  const widest = (values ?? []).reduce(
    (longest, value) => (value.length > longest.length ? value : longest),
    '',
  );
  plot.ctx.save();
  plot.ctx.font = (axis.font as unknown as string[])[0] ?? '';
  const width = plot.ctx.measureText(widest).width / devicePixelRatio;
  plot.ctx.restore();
  return Math.ceil(width) + 12;
}

/** The top of the scale: a little room above the greatest, at a round number. */
function niceTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max));
  const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  return (steps.find((step) => step * power >= max * 1.04) ?? 12) * power;
}

/** A power of ten of ms: `100 s`, where words for it would be `1 min 40 s`. */
export function powerText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${shortNumber(ms / 1_000)} s`;
}
