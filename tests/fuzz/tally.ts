/** What became of the cases, by kind. */
export class Tally {
  readonly #outcomes = new Map<string, Map<string, number>>();
  /** What no case may end in, with what it takes to see it again. */
  readonly faults: string[] = [];
  readonly #notes: string[] = [];
  #cases = 0;

  get cases(): number {
    return this.#cases;
  }

  /** One that is typed and yet tells of a fault of the farm's: kept for a look. */
  readonly samples: string[] = [];

  sample(what: string): void {
    if (this.samples.length < 500) this.samples.push(what);
  }

  count(kind: string, outcome: string): void {
    const outcomes = this.#outcomes.get(kind) ?? new Map<string, number>();
    this.#outcomes.set(kind, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
    this.#cases += 1;
  }

  /** Something to be read beside the counts. */
  note(what: string): void {
    this.#notes.push(what);
  }

  fault(what: string): void {
    // The first ones tell; a broken farm has one for each case.
    if (this.faults.length < 200) this.faults.push(what.slice(0, 3_000));
  }

  /** A line a kind: how often each outcome came. */
  toString(): string {
    const lines = [...this.#outcomes]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, outcomes]) => {
        const counts = [...outcomes].toSorted(([, a], [, b]) => b - a);
        return `${kind.padEnd(24)} ${counts.map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`;
      });
    return [...lines, ...this.#notes, `${this.#cases} cases, ${this.faults.length} faults`].join('\n');
  }
}
