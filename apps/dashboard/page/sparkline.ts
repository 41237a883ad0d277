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
      area: svg('path', { class: `spark-area ${name}` }),
      line: svg('path', { class: `spark-line ${name}` }),
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
    const greatest = Math.max(1e-9, ...means.flat().map((value) => value ?? 0));
    for (const [index, { line, area }] of this.#lines.entries()) {
      const runs = runsOf(means[index] ?? [], greatest);
      line.setAttribute('d', runs.map((run) => `M${run.join('L')}`).join(''));
      area.setAttribute('d', runs.map(aboveFloor).join(''));
    }
  }
}

type Place = readonly [x: string, y: string];

/** Places of what is known, a run for each stretch without a gap. */
function runsOf(row: readonly (number | null)[], greatest: number): readonly (readonly Place[])[] {
  const runs: Place[][] = [];
  let run: Place[] | undefined;
  for (const [at, value] of row.entries()) {
    if (value === null) run = undefined;
    else {
      if (!run) runs.push((run = []));
      const x = (WIDTH * at) / Math.max(1, row.length - 1);
      run.push([x.toFixed(1), (HEIGHT - 1 - (value / greatest) * (HEIGHT - 3)).toFixed(1)]);
    }
  }
  return runs;
}

function aboveFloor(run: readonly Place[]): string {
  return `M${run[0]?.[0]},${HEIGHT}L${run.join('L')}L${run.at(-1)?.[0]},${HEIGHT}Z`;
}
