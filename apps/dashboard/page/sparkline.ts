import { inSteps } from './in-steps.ts';
import { svg } from './svg.ts';

const WIDTH = 120;
const HEIGHT = 28;

/** Five minutes in the corner of a figure: a shape, without numbers. */
export class Sparkline {
  readonly #lines: readonly { readonly line: SVGElement; readonly area: SVGElement }[];
  #drawn = '';

  constructor(host: Element, colourNames: readonly string[]) {
    this.#lines = colourNames.map((name) => ({
      area: svg('polygon', { class: `spark-area ${name}` }),
      line: svg('polyline', { class: `spark-line ${name}` }),
    }));
    host.append(
      svg(
        'svg',
        {
          viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
          preserveAspectRatio: 'none',
          'aria-hidden': 'true',
          focusable: 'false',
        },
        ...this.#lines.flatMap(({ area, line }) => [area, line]),
      ),
    );
  }

  /** One row of values a line, oldest first, on one scale from 0; null is not known. */
  show(rows: readonly (readonly (number | null)[])[]): void {
    const means = rows.map(inSteps);
    const drawn = JSON.stringify(means);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const greatest = Math.max(1e-9, ...means.flat());
    for (const [index, { line, area }] of this.#lines.entries()) {
      const row = means[index] ?? [];
      const points = row
        .map((value, at) => {
          const x = (WIDTH * at) / Math.max(1, row.length - 1);
          return `${x.toFixed(1)},${(HEIGHT - 1 - (value / greatest) * (HEIGHT - 3)).toFixed(1)}`;
        })
        .join(' ');
      line.setAttribute('points', points);
      area.setAttribute('points', row.length > 0 ? `0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}` : '');
    }
  }
}
