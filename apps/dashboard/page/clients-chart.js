import { shortNumber } from './numerals.js';
import { axes, frameOf, HEIGHT, watchWidth } from './plot-frame.js';
import { roundMarks } from './scale.js';
import { svg } from './svg.js';

/** A median over fewer seconds is drawn hollow. */
const FEW_SECONDS = 5;

/** Beyond so many dots only the first, the greatest and the last have a number; the table has them all. */
const MAX_NUMBERED_DOTS = 10;

/** Pixels between two numbers, so that they do not overlap. */
const NUMBER_WIDTH = 36;

/** Throughput (y) against num_client (x). */
export class ClientsChart {
  #value;
  #drawing = svg('svg', { role: 'img' });
  #empty = document.createElement('p');
  #label;
  /** Undefined until something is known. */
  #points;
  #width = 0;

  constructor(host, label, value) {
    this.#label = label;
    this.#value = value;
    const plot = document.createElement('div');
    plot.className = 'plot';
    this.#empty.className = 'note';
    this.#empty.textContent = 'No client was at work in the last hour.';
    plot.append(this.#drawing, this.#empty);
    host.append(plot);
    watchWidth(plot, (width) => {
      this.#width = width;
      this.#draw();
    });
  }

  /** `points`: `{ clients, seconds, … }`, fewest clients first. */
  show(points) {
    this.#points = points;
    this.#draw();
  }

  #draw() {
    if (this.#width === 0) return;
    const points = this.#points ?? [];
    const yMarks = roundMarks(Math.max(0, ...points.map(this.#value)));
    const xMarks = roundMarks(Math.max(4, points.at(-1)?.clients ?? 0), { whole: true });
    const frame = frameOf(this.#width, yMarks);
    const end = xMarks.at(-1);
    const words = xMarks
      // The last word is long.
      .filter((mark) => mark === end || mark / end < 0.8)
      .map((mark) => [mark / end, mark === end ? `${mark} clients` : String(mark)]);
    const places = points.map((point) => ({
      ...point,
      x: frame.x(point.clients / end),
      y: frame.y(this.#value(point)),
      text: shortNumber(this.#value(point)),
    }));
    this.#drawing.setAttribute('viewBox', `0 0 ${this.#width} ${HEIGHT}`);
    this.#drawing.replaceChildren(
      ...axes(frame, yMarks, words),
      svg('polyline', { class: 'curve throughput', points: places.map(({ x, y }) => `${x},${y}`).join(' ') }),
      ...places.map((place) => dot(place, places.length > MAX_NUMBERED_DOTS ? 3.5 : 5)),
      ...spaced(numbered(places)).map((place) => number(place, this.#width)),
    );
    this.#empty.hidden = this.#points === undefined || points.length > 0;
    const spoken = places.map(({ clients, text }) => `${clients}: ${text}`).join(', ');
    this.#drawing.setAttribute('aria-label', `${this.#label}, by clients. ${spoken || 'Nothing yet'}`);
  }
}

function dot({ x, y, clients, seconds, text }, radius) {
  const story = svg('title', {}, `${clients} clients: ${text} texts/s, median of ${seconds} s`);
  const thin = seconds < FEW_SECONDS ? ' thin' : '';
  return svg('circle', { class: `dot throughput${thin}`, cx: x, cy: y, r: radius }, story);
}

function number({ x, y, text }, width) {
  const isLast = x > width - NUMBER_WIDTH;
  const place = isLast ? { x: x + 5, 'text-anchor': 'end' } : { x, 'text-anchor': 'middle' };
  return svg('text', { class: 'value', y: y - 10, ...place }, text);
}

/** Those worth a number: all, or of many the first, the greatest and the last. */
function numbered(places) {
  if (places.length <= MAX_NUMBERED_DOTS) return places;
  const greatest = places.reduce((best, place) => (place.y < best.y ? place : best));
  return [...new Set([places[0], greatest, places.at(-1)])];
}

/** From the right, each place that is far enough from the one taken before. */
function spaced(places) {
  const taken = [];
  for (const place of places.toReversed()) {
    if (taken.length === 0 || taken.at(-1).x - place.x >= NUMBER_WIDTH) taken.push(place);
  }
  return taken;
}
