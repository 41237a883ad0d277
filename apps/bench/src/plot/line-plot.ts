import { logScale, roundTicks, type LogScale } from './log-scale.ts';
import { spreadLabels } from './spread-labels.ts';

export interface LinePlot {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly series: readonly Series[];
}

export interface Series {
  readonly label: string;
  readonly tone: Tone;
  readonly stroke: Stroke;
  /** Both positive: the axes are logarithmic. In the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export type Stroke = 'solid' | 'dashed' | 'dotted';

/** `own` is what the plot is about. */
export type Tone = 'own' | 'other';

const SIZE = { width: 760, height: 420 };
const AREA = { left: 72, right: 560, top: 64, bottom: 352 };
const LABEL_GAP = 17;

/** Readable on light and on dark pages: it brings its own ground, in the colours that the reader prefers. */
const STYLE = `
  svg { color-scheme: light dark; }
  .ground { fill: #ffffff; }
  text { fill: #424a53; font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  .title { fill: #1f2328; font-size: 16px; font-weight: 600; }
  .grid { stroke: #e3e6ea; stroke-width: 1; }
  .axis { stroke: #9aa2ab; stroke-width: 1; }
  .line { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
  .dashed { stroke-dasharray: 7 5; }
  .dotted { stroke-dasharray: 1 5; }
  .own { stroke: #0b62d6; }
  .other { stroke: #b4530a; }
  .own-mark { fill: #0b62d6; stroke: #ffffff; stroke-width: 1.5; }
  .other-mark { fill: #b4530a; stroke: #ffffff; stroke-width: 1.5; }
  .own-label { fill: #0b62d6; font-weight: 600; }
  .other-label { fill: #b4530a; font-weight: 600; }
  .leader { stroke: #9aa2ab; stroke-width: 1; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    text { fill: #b6bec8; }
    .title { fill: #f0f3f6; }
    .grid { stroke: #262c36; }
    .axis, .leader { stroke: #59636e; }
    .own { stroke: #66aeff; }
    .other { stroke: #f0a35e; }
    .own-mark { fill: #66aeff; stroke: #0d1117; }
    .other-mark { fill: #f0a35e; stroke: #0d1117; }
    .own-label { fill: #66aeff; }
    .other-label { fill: #f0a35e; }
  }
`;

/** Lines over logarithmic axes as an SVG file, each named at its end. */
export function linePlot(plot: LinePlot): string {
  const points = plot.series.flatMap((series) => series.points);
  const xs = [...new Set(points.map(([x]) => x))].toSorted((a, b) => a - b);
  const ys = points.map(([, y]) => y);
  const ticks = roundTicks(Math.min(...ys), Math.max(...ys));
  const x = logScale({ min: xs[0] ?? 1, max: xs.at(-1) ?? 1 }, { from: AREA.left, to: AREA.right });
  const y = logScale({ min: ticks[0] ?? 1, max: ticks.at(-1) ?? 1 }, { from: AREA.bottom, to: AREA.top });
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" height="${SIZE.height}" role="img" aria-label="${escape(plot.title)}">`,
    `<title>${escape(plot.title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${SIZE.width}" height="${SIZE.height}" rx="8"/>`,
    `<text class="title" x="${AREA.left}" y="28">${escape(plot.title)}</text>`,
    `<text x="${AREA.left}" y="48">${escape(plot.yTitle)}</text>`,
    ...ticks.map((tick) => yTick(tick, y)),
    ...xs.map((tick) => xTick(tick, x)),
    `<line class="axis" x1="${AREA.left}" y1="${AREA.bottom}" x2="${AREA.right}" y2="${AREA.bottom}"/>`,
    `<text x="${(AREA.left + AREA.right) / 2}" y="${AREA.bottom + 44}" text-anchor="middle">${escape(plot.xTitle)}</text>`,
    ...plot.series.map((series) => line(series, x, y)),
    ...labels(plot.series, x, y),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function yTick(tick: number, y: LogScale): string {
  const at = round(y.place(tick));
  return (
    `<line class="grid" x1="${AREA.left}" y1="${at}" x2="${AREA.right}" y2="${at}"/>` +
    `<text x="${AREA.left - 8}" y="${round(at + 4.5)}" text-anchor="end">${thousands(tick)}</text>`
  );
}

function xTick(tick: number, x: LogScale): string {
  const at = round(x.place(tick));
  return (
    `<line class="axis" x1="${at}" y1="${AREA.bottom}" x2="${at}" y2="${AREA.bottom + 5}"/>` +
    `<text x="${at}" y="${AREA.bottom + 21}" text-anchor="middle">${thousands(tick)}</text>`
  );
}

function line({ tone, stroke, points }: Series, x: LogScale, y: LogScale): string {
  const places = points.map(([px, py]) => [round(x.place(px)), round(y.place(py))] as const);
  const path = places.map(([px, py]) => `${px},${py}`).join(' ');
  const marks = places.map(([px, py]) => `<circle class="${tone}-mark" cx="${px}" cy="${py}" r="4"/>`);
  return `<polyline class="line ${tone} ${stroke}" points="${path}"/>${marks.join('')}`;
}

/** Beside the end of each line; a thin one leads to a label that had to move. */
function labels(series: readonly Series[], x: LogScale, y: LogScale): string[] {
  const ends = series.map(({ points }) => {
    const [px, py] = points.at(-1) ?? [x.max, y.min];
    return { x: x.place(px), y: y.place(py) };
  });
  const places = spreadLabels(
    ends.map((end) => end.y),
    { gap: LABEL_GAP, min: AREA.top, max: AREA.bottom },
  );
  return series.map(({ label, tone }, index) => {
    const end = ends[index] ?? { x: 0, y: 0 };
    const at = places[index] ?? 0;
    const from = AREA.right + 16;
    const leader = `<line class="leader" x1="${round(end.x + 7)}" y1="${round(end.y)}" x2="${from - 3}" y2="${round(at)}"/>`;
    return `${leader}<text class="${tone}-label" x="${from}" y="${round(at + 4.5)}">${escape(label)}</text>`;
  });
}

function thousands(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
