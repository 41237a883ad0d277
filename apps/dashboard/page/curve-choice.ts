import { curveStory, type BenchCurve } from './bench-curve.ts';
import { make } from './elements.ts';

/** Which of the stored curves is drawn: the newest, until a person chooses. */
export class CurveChoice {
  readonly #curve: BenchCurve['curve'];
  readonly #select: HTMLSelectElement;
  #curves: readonly BenchCurve[] = [];
  #written = '';

  /** `select` is filled with the curves of this kind; it hides while there is no choice. */
  constructor(select: HTMLSelectElement, curve: BenchCurve['curve'], onChange: () => void) {
    this.#select = select;
    this.#curve = curve;
    select.addEventListener('change', onChange);
  }

  get chosen(): BenchCurve | undefined {
    return this.#curves.find((curve) => curveKey(curve) === this.#select.value);
  }

  show(curves: readonly BenchCurve[]): void {
    this.#curves = curves
      .filter(({ curve }) => curve === this.#curve)
      .toSorted((left, right) => right.measuredAt.localeCompare(left.measuredAt));
    const keys = this.#curves.map(curveKey).join('\n');
    if (keys === this.#written) return;
    this.#written = keys;
    const before = this.#select.value;
    this.#select.replaceChildren(
      ...this.#curves.map((curve) => {
        const option = make('option', { title: curveStory(curve) }, curveLabel(curve));
        option.value = curveKey(curve);
        return option;
      }),
    );
    if (this.#curves.some((curve) => curveKey(curve) === before)) this.#select.value = before;
    const label = this.#select.closest('label');
    if (label) label.hidden = this.#curves.length === 0;
  }
}

function curveLabel({ shape, workers, devices, measuredAt }: BenchCurve): string {
  return `${shape} · ${workers} × ${devices} · ${measuredAt.slice(0, 10)}`;
}

function curveKey({ shape, workers, devices, machine, measuredAt }: BenchCurve): string {
  return JSON.stringify([shape, workers, devices, machine, measuredAt]);
}
