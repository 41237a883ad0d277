/**
 * Aborts with whichever of the signals does first, or with `stop`. An `AbortSignal.any` would leave something behind at
 * a signal that lives as long as the process, with each use; this one lets go at its end.
 */
export class EitherSignal {
  readonly #ends = new AbortController();
  readonly #sources: readonly AbortSignal[];

  constructor(sources: readonly (AbortSignal | undefined)[]) {
    this.#sources = sources.filter((source) => source !== undefined);
    for (const source of this.#sources) {
      if (source.aborted) this.stop(source.reason);
      else source.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#ends.signal;
  }

  stop(reason: unknown): void {
    this.#ends.abort(reason);
  }

  /** Listens no more. */
  release(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = ({ target }: Event): void => this.stop((target as AbortSignal).reason);
}
