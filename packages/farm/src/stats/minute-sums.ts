/** What is yet to be added to a minute's hash. Fields are a closed list, so it stays small however long Redis is away. */
export class MinuteSums {
  readonly #counts = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  add(field: string, count: number): void {
    this.#counts.set(field, (this.#counts.get(field) ?? 0) + count);
  }

  /** All of `other` as well. */
  merge(other: MinuteSums): void {
    for (const [field, count] of other.#counts) this.add(field, count);
  }

  /** Fields and whole numbers in turn; what rounds to nothing is left out. */
  toArguments(): (string | number)[] {
    return [...this.#counts].flatMap(([field, count]) => {
      const whole = Math.round(count);
      return whole > 0 ? [field, whole] : [];
    });
  }
}
