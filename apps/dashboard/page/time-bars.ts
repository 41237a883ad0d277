import type { BoardView } from './board-memory.ts';
import { ChartCard } from './chart-card.ts';
import { make, write } from './elements.ts';
import { LANES } from './figures.ts';
import { duration, percent } from './numerals.ts';
import { STAGES, stageMeans, type Stage } from './stage-means.ts';
import { RANGES, type Range } from './time-buckets.ts';

const WORDS: Readonly<Record<Stage, string>> = {
  queue: 'queue',
  tokenize: 'tokenize',
  'batch-wait': 'batch wait',
  device: 'device',
  store: 'store',
  reply: 'reply',
};

/** Where the time of a chunk goes: waiting in greys, work in colours. Each lane's bar is its whole. */
export class TimeBars {
  readonly #card = new ChartCard('time');
  readonly #bars = LANES.map((lane) => {
    const total = make('b');
    const parts = STAGES.map((stage) => make('span', { className: `part ${stage}` }));
    const bar = make('div', { className: 'stack' }, ...parts);
    const row = make(
      'div',
      { className: 'lane' },
      make('div', { className: 'lane-head' }, make('span', {}, lane), total),
      bar,
    );
    return { lane, total, parts, bar, row };
  });
  readonly #cells = new Map<string, HTMLElement>();

  constructor() {
    const rows = STAGES.map((stage) =>
      make(
        'div',
        { className: 'stage-row' },
        make('i', { className: `key area ${stage}` }),
        make('span', {}, WORDS[stage]),
        ...LANES.map((lane) => {
          const cell = make('b', {}, '');
          this.#cells.set(`${lane} ${stage}`, cell);
          return cell;
        }),
      ),
    );
    const head = make(
      'div',
      { className: 'stage-row head' },
      make('i'),
      make('span'),
      ...LANES.map((lane) => make('span', {}, lane)),
    );
    this.#card.plot.append(
      ...this.#bars.map(({ row }) => row),
      make('div', { className: 'stage-rows' }, head, ...rows),
    );
  }

  show({ minutes }: BoardView, range: Range): void {
    const newest = minutes.at(-1)?.minute ?? 0;
    const recent = minutes.filter(({ minute }) => minute > newest - RANGES[range].seconds / 60);
    const told: string[][] = [];
    for (const { lane, total, parts, bar } of this.#bars) {
      const means = stageMeans(recent, lane);
      const whole = means ? STAGES.reduce((sum, stage) => sum + means[stage], 0) : 0;
      write(total, means ? duration(whole) : 'no chunk');
      bar.classList.toggle('none', !means);
      for (const [index, stage] of STAGES.entries()) {
        const share = means && whole > 0 ? means[stage] / whole : 0;
        const part = parts[index];
        if (part) {
          part.style.flexGrow = String(share);
          part.title = `${WORDS[stage]}: ${duration(means?.[stage])}, ${percent(share)}`;
          part.hidden = share === 0;
        }
        write(this.#cells.get(`${lane} ${stage}`) as HTMLElement, duration(means?.[stage]));
      }
      told.push([lane, ...STAGES.map((stage) => duration(means?.[stage])), means ? duration(whole) : '—']);
    }
    this.#card.setReady();
    const head = ['Lane', ...STAGES.map((stage) => WORDS[stage]), 'all'];
    const words = told.map(
      ([lane, ...times]) => `${lane}: ${times.map((time, at) => `${head[at + 1]} ${time}`).join(', ')}`,
    );
    this.#card.tell(`Mean time of a chunk by stage. ${words.join('. ')}.`, () => ({ head, rows: told }));
  }
}
