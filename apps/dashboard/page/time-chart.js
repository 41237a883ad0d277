import { ago, shortNumber } from './numerals.js';
import { axes, frameOf, HEIGHT, watchWidth } from './plot-frame.js';
import { roundMarks } from './scale.js';
import { svg } from './svg.js';

export const SECONDS = 300;

const MINUTES = [5, 4, 3, 2, 1, 0].map((minute) => [
  1 - (minute * 60) / SECONDS,
  minute === 0 ? 'now' : `−${minute} min`,
]);

/**
 * Curves over the last five minutes. Mouse, finger or arrow keys pick a second; the line above
 * the drawing then tells its values.
 */
export class TimeChart {
  #curves;
  #plot = document.createElement('div');
  #readout = document.createElement('p');
  #drawing = svg('svg', { 'aria-hidden': 'true' });
  #empty = document.createElement('p');
  #points = [];
  #width = 0;
  #frame = frameOf(0, [0]);
  /** Seconds before the newest point; undefined: nothing is picked. */
  #picked;

  /** `curves`: `{ name, label, value(point) }`; the name is its CSS class. `whenEmpty`: said while all is zero. */
  constructor(host, label, curves, whenEmpty) {
    this.#curves = curves;
    this.#empty.className = 'note';
    this.#empty.textContent = whenEmpty;
    this.#readout.className = 'readout';
    this.#plot.className = 'plot';
    this.#plot.append(this.#drawing, this.#empty);
    // A slider is what assistive technology knows for "one of 300 places, by arrow keys".
    for (const [name, value] of Object.entries({
      tabindex: 0,
      role: 'slider',
      'aria-label': `${label}: seconds before now`,
      'aria-valuemin': -SECONDS + 1,
      'aria-valuemax': 0,
      'aria-valuenow': 0,
    })) {
      this.#plot.setAttribute(name, String(value));
    }
    this.#listen();
    host.append(this.#readout, this.#plot);
    watchWidth(this.#plot, (width) => {
      this.#width = width;
      this.#draw();
    });
  }

  /** `points`: one a second, oldest first; the last one is now. */
  show(points) {
    this.#points = points;
    this.#draw();
  }

  #listen() {
    this.#plot.addEventListener('pointermove', (event) => {
      const share = this.#frame.shareAt(event.clientX - this.#plot.getBoundingClientRect().left);
      this.#pick(Math.round((1 - share) * SECONDS));
    });
    this.#plot.addEventListener('pointerleave', () => this.#pick(undefined));
    this.#plot.addEventListener('blur', () => this.#pick(undefined));
    this.#plot.addEventListener('focus', () => this.#tell());
    this.#plot.addEventListener('keydown', (event) => {
      const steps = { ArrowLeft: 1, ArrowDown: 1, ArrowRight: -1, ArrowUp: -1, PageDown: 30, PageUp: -30 };
      const now = this.#picked ?? 0;
      if (event.key in steps) this.#pick(now + steps[event.key]);
      else if (event.key === 'Home') this.#pick(SECONDS - 1);
      else if (event.key === 'End') this.#pick(0);
      else if (event.key === 'Escape') this.#pick(undefined);
      else return;
      this.#tell();
      event.preventDefault();
    });
  }

  #pick(secondsAgo) {
    this.#picked = secondsAgo === undefined ? undefined : Math.min(SECONDS - 1, Math.max(0, secondsAgo));
    this.#draw();
  }

  /** To assistive technology, on a person's own step only: a value a second would drown the rest. */
  #tell() {
    this.#plot.setAttribute('aria-valuenow', String(-(this.#picked ?? 0)));
    this.#plot.setAttribute('aria-valuetext', this.#readout.textContent);
  }

  #draw() {
    if (this.#width === 0) return;
    const greatest = Math.max(0, ...this.#points.flatMap((point) => this.#curves.map((c) => c.value(point))));
    const marks = roundMarks(greatest, { whole: true });
    const frame = frameOf(this.#width, marks);
    this.#frame = frame;
    const newest = this.#points.at(-1)?.second ?? 0;
    const xOf = ({ second }) => frame.x(1 - (newest - second) / SECONDS);
    const picked = this.#points.find(({ second }) => second === newest - (this.#picked ?? 0));
    const curves = this.#curves.flatMap(({ name, value }) => {
      if (this.#points.length === 0) return [];
      const line = this.#points.map(
        (point) => `${xOf(point).toFixed(1)},${frame.y(value(point)).toFixed(1)}`,
      );
      const floor = frame.y(0).toFixed(1);
      const [first, last] = [this.#points[0], this.#points.at(-1)].map((point) => xOf(point).toFixed(1));
      return [
        svg('polygon', {
          class: `area ${name}`,
          points: `${first},${floor} ${line.join(' ')} ${last},${floor}`,
        }),
        svg('polyline', { class: `curve ${name}`, points: line.join(' ') }),
      ];
    });
    const cursor = this.#picked !== undefined && picked ? this.#cursor(frame, xOf(picked), picked) : [];
    this.#drawing.setAttribute('viewBox', `0 0 ${this.#width} ${HEIGHT}`);
    // Four words fit a telephone.
    const minutes = this.#width < 480 ? MINUTES.filter((_, index) => index % 2 === 1) : MINUTES;
    this.#drawing.replaceChildren(...axes(frame, marks, minutes), ...curves, ...cursor);
    this.#empty.hidden = greatest > 0 || this.#points.length === 0;
    this.#readOut(picked);
  }

  #cursor(frame, x, point) {
    return [
      svg('line', { class: 'cursor', x1: x, x2: x, y1: frame.y(0), y2: frame.top }),
      ...this.#curves.map(({ name, value }) =>
        svg('circle', { class: `dot ${name}`, cx: x, cy: frame.y(value(point)), r: 5 }),
      ),
    ];
  }

  #readOut(point) {
    const parts = this.#curves.map(({ name, label, value }) => {
      const part = document.createElement('span');
      const key = document.createElement('i');
      key.className = `key ${name}`;
      const number = document.createElement('b');
      number.textContent = point ? shortNumber(value(point)) : '–';
      part.append(key, `${label} `, number);
      return part;
    });
    const moment = document.createElement('span');
    moment.className = 'moment';
    const clock = point && new Date(point.second * 1_000).toLocaleTimeString();
    moment.textContent = this.#picked
      ? point
        ? `${ago(this.#picked)}, ${clock}`
        : ago(this.#picked)
      : 'now';
    this.#readout.replaceChildren(...parts.flatMap((part) => [part, ' ']), moment);
  }
}
