import { placeOf } from './bucket-place.ts';
import { ChartCard, type LegendEntry } from './chart-card.ts';
import { heldBuckets, type Bucket } from './histogram.ts';
import { percent, shortNumber } from './numerals.ts';
import { svg } from './svg.ts';

/** A line across the columns, as where texts are cut. */
export interface Mark {
  readonly at: number;
  readonly label: string;
}

export interface HistogramStory {
  readonly buckets: readonly Bucket[];
  readonly marks?: readonly Mark[];
  readonly legend: readonly LegendEntry[];
  readonly empty: string;
  readonly summary: string;
  /** What is counted, as the head of a table. */
  readonly counted: string;
  readonly edgeText: (edge: number) => string;
}

const HEIGHT = 176;
const FLOOR = 150;
const TOP = 22;

/** Columns of equal width, one a bucket, drawn as shapes: they are few, and change with the minute. */
export class HistogramChart {
  readonly #card: ChartCard;
  readonly #colour: string;
  readonly #drawing = svg('svg', { 'aria-hidden': 'true', focusable: 'false' });
  #story: HistogramStory | undefined;
  #drawn = '';

  constructor(name: 'fill' | 'lengths', colourName: string) {
    this.#colour = colourName;
    this.#card = new ChartCard(name);
    this.#card.plot.append(this.#drawing);
    new ResizeObserver(() => this.#draw()).observe(this.#card.plot);
  }

  show(story: HistogramStory): void {
    this.#story = story;
    const isEmpty = story.buckets.every(({ count }) => count === 0);
    if (isEmpty) this.#card.setEmpty(story.empty);
    else this.#card.setEmpty();
    this.#card.setLegend(isEmpty ? [] : story.legend);
    this.#draw();
    const total = story.buckets.reduce((sum, { count }) => sum + count, 0);
    this.#card.tell(isEmpty ? story.empty : story.summary, () => ({
      head: ['Up to', story.counted, 'Share'],
      rows: heldBuckets(story.buckets).map(({ upTo, count }) => [
        upTo === Infinity ? 'more' : story.edgeText(upTo),
        shortNumber(count),
        percent(count / total),
      ]),
    }));
  }

  #draw(): void {
    const width = this.#card.plot.clientWidth;
    if (!this.#story || width === 0) return;
    const { buckets, marks = [], edgeText } = this.#story;
    const drawn = JSON.stringify([width, buckets, marks]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const column = width / Math.max(1, buckets.length);
    const greatest = Math.max(1, ...buckets.map(({ count }) => count));
    const height = (count: number): number =>
      count === 0 ? 0 : Math.max(1.5, (count / greatest) * (FLOOR - TOP));
    const total = buckets.reduce((sum, { count }) => sum + count, 0);
    this.#drawing.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    this.#drawing.replaceChildren(
      svg('line', { class: 'grid', x1: 0, x2: width, y1: FLOOR + 0.5, y2: FLOOR + 0.5 }),
      ...buckets.map(({ from, upTo, count }, index) =>
        svg(
          'rect',
          {
            class: `column ${this.#colour}`,
            x: index * column + 1,
            y: FLOOR - height(count),
            width: Math.max(1, column - 2),
            height: height(count),
            rx: 1,
          },
          svg(
            'title',
            {},
            `${spanText(from, upTo, edgeText)}: ${shortNumber(count)}, ${percent(total ? count / total : 0)}`,
          ),
        ),
      ),
      ...edgeWords(buckets, column, edgeText),
      ...marks.flatMap(({ at, label }) => mark(placeOf(buckets, at) * column, label, width)),
    );
    this.#card.setReady();
  }
}

function spanText(from: number, upTo: number, edgeText: HistogramStory['edgeText']): string {
  return upTo === Infinity ? `more than ${edgeText(from)}` : `${edgeText(from)} to ${edgeText(upTo)}`;
}

/** Words under the edges, as many as fit; the last edge always has one. */
function edgeWords(
  buckets: readonly Bucket[],
  column: number,
  edgeText: (edge: number) => string,
): SVGElement[] {
  const every = Math.max(1, Math.ceil(38 / column));
  return buckets.flatMap(({ upTo }, index) => {
    const left = buckets.length - 1 - index;
    if (left % every !== 0 || upTo === Infinity) return [];
    const anchor = left === 0 ? 'end' : 'middle';
    return [svg('text', { x: (index + 1) * column, y: FLOOR + 17, 'text-anchor': anchor }, edgeText(upTo))];
  });
}

function mark(x: number, label: string, width: number): SVGElement[] {
  const isRight = x > width / 2;
  return [
    svg('line', { class: 'mark', x1: x, x2: x, y1: 4, y2: FLOOR }),
    svg(
      'text',
      { class: 'mark', x: isRight ? x - 5 : x + 5, y: 12, 'text-anchor': isRight ? 'end' : 'start' },
      label,
    ),
  ];
}
