import { shortNumber } from './numerals.js';
import { svg } from './svg.js';

export const HEIGHT = 192;
// Room for a number above the highest dot.
const TOP = 22;
const BOTTOM = 22;
const RIGHT = 10;
// Room for "41.2K".
const LEFT = 44;

/** Where values stand in a drawing so wide. `x` takes 0 to 1; `y` takes 0 to the last mark. */
export function frameOf(width, yMarks) {
  const top = yMarks.at(-1) || 1;
  const innerWidth = Math.max(1, width - LEFT - RIGHT);
  const innerHeight = HEIGHT - TOP - BOTTOM;
  return {
    width,
    top: TOP,
    x: (share) => LEFT + share * innerWidth,
    y: (value) => TOP + (1 - value / top) * innerHeight,
    shareAt: (pixel) => Math.min(1, Math.max(0, (pixel - LEFT) / innerWidth)),
  };
}

/** Grid lines with their numbers, and the words below: `[share, text]`. */
export function axes(frame, yMarks, xMarks) {
  const drawn = yMarks.flatMap((mark) => {
    const y = Math.round(frame.y(mark)) + 0.5;
    return [
      svg('line', { class: 'grid', x1: frame.x(0), x2: frame.x(1), y1: y, y2: y }),
      svg('text', { x: frame.x(0) - 8, y: y + 4, 'text-anchor': 'end' }, shortNumber(mark)),
    ];
  });
  const words = xMarks.map(([share, text]) => {
    const anchor = share > 0.98 ? 'end' : 'middle';
    return svg('text', { x: frame.x(share), y: HEIGHT - 4, 'text-anchor': anchor }, text);
  });
  return [...drawn, ...words];
}

/** Calls back with the element's width, at once and whenever it changes. */
export function watchWidth(element, draw) {
  new ResizeObserver(([entry]) => {
    draw(entry.contentRect.width);
  }).observe(element);
}
