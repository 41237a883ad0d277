import { FarmError } from '@embedfarm/contract';
import type { FailedText, TextsFailed } from '@embedfarm/farm/producer';
import { Embeddings, type AnyEmbeddings } from './embeddings.ts';

/** Some texts of an `encode` failed (code `texts_failed`); the others have their vectors here. */
export class TextsFailedError extends FarmError {
  override readonly name = 'TextsFailedError';
  /** All rows; `at` of a failed text throws that text's error. */
  readonly embeddings: AnyEmbeddings;
  readonly failures: readonly FailedText[];

  constructor(failed: TextsFailed) {
    super('texts_failed', failed.detail, { cause: failed });
    this.embeddings = Embeddings.from(failed.encoded);
    this.failures = failed.failures;
  }
}
