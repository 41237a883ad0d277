import { FarmError, type EncodeTiming, type FarmErrorCode, type VectorBlock } from '@embedfarm/contract';
import type { SettledChunk } from './pending-chunks.ts';

/** The end of one call: its texts' vectors, and what became of those without one. */
export interface EncodedTexts {
  readonly model: string;
  readonly block: VectorBlock;
  readonly timing: EncodeTiming & { readonly totalMs: number };
}

/** Why one text of a call has no vector. */
export interface FailedText {
  readonly index: number;
  readonly code: FarmErrorCode;
  readonly message: string;
}

/** Some texts of a call failed; the others have their vectors. */
export class TextsFailed extends FarmError {
  readonly encoded: EncodedTexts;
  readonly failures: readonly FailedText[];

  constructor(encoded: EncodedTexts, failures: readonly FailedText[]) {
    const texts = encoded.block.tokens.length;
    const first = failures[0];
    super(
      'texts_failed',
      `${failures.length} of ${texts} texts failed, first texts[${first?.index}]: [${first?.code}] ${first?.message}`,
    );
    this.encoded = encoded;
    this.failures = failures;
  }
}

/** What comes out of a call's blocks: all vectors, or the reason why not. */
export function concludeCall(
  encoded: EncodedTexts,
  statuses: readonly SettledChunk['status'][],
): EncodedTexts {
  const failures = failedTexts(encoded.block);
  const [first] = failures;
  if (first === undefined) return encoded;
  // All of it failed as a whole and for one reason: that is the call's own error, not its texts'.
  const asWhole =
    statuses.every((status) => status !== 'done') && failures.length === encoded.block.tokens.length;
  if (asWhole && failures.every(({ code }) => code === first.code))
    throw new FarmError(first.code, first.message);
  throw new TextsFailed(encoded, failures);
}

/** Each failed text of a block, by index. */
export function failedTexts(block: VectorBlock): FailedText[] {
  return block.failures
    .flatMap(({ code, message, texts }) => texts.map((index) => ({ index, code, message })))
    .toSorted((a, b) => a.index - b.index);
}
