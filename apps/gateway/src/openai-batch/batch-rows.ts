import { FarmError } from '@embedfarm/contract';
import type { AnyEmbeddings, EmbeddingFarm } from '@embedfarm/sdk';

/** What became of one text. */
export type BatchRow =
  | { readonly vector: Uint8Array; readonly tokens: number; readonly fault: undefined }
  | { readonly vector: undefined; readonly tokens: number; readonly fault: FarmError };

/** The rows of a request that has ended, text by text; after those that are there, the reason why there are no more. */
export class BatchRows {
  readonly #rows: AsyncGenerator<BatchRow>;
  #fault: FarmError | undefined;

  constructor(farm: EmbeddingFarm, requestId: string | undefined, none: FarmError, signal: AbortSignal) {
    this.#rows = rowsOf(farm, requestId, signal);
    if (requestId === undefined) this.#fault = none;
    this.none = none;
  }

  /** What is said of texts that never were in the farm. */
  readonly none: FarmError;

  /** The next ones. @throws FarmError what keeps from reading. */
  async take(count: number): Promise<BatchRow[]> {
    const taken: BatchRow[] = [];
    while (taken.length < count) taken.push(await this.#next());
    return taken;
  }

  async close(): Promise<void> {
    await this.#rows.return(undefined);
  }

  async #next(): Promise<BatchRow> {
    if (!this.#fault) {
      try {
        const { done, value } = await this.#rows.next();
        if (done !== true) return value;
        this.#fault = this.none;
      } catch (thrown) {
        const fault = FarmError.from(thrown);
        if (fault.code !== 'result_expired') throw fault;
        this.#fault = fault;
      }
    }
    return { vector: undefined, tokens: 0, fault: this.#fault };
  }
}

async function* rowsOf(
  farm: EmbeddingFarm,
  requestId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<BatchRow> {
  if (requestId === undefined) return;
  for await (const chunk of farm.request(requestId).chunks({ signal })) {
    const embeddings: AnyEmbeddings = chunk.embeddings;
    const failures = new Map(embeddings.failures.map((failure) => [failure.index, failure]));
    for (const [at, { tokens }] of embeddings.receipts.entries()) {
      if (embeddings.has(at)) {
        yield { vector: embeddings.bytesAt(at), tokens, fault: undefined };
        continue;
      }
      const { code = 'internal', message = 'no vector and no reason' } = failures.get(at) ?? {};
      yield { vector: undefined, tokens, fault: new FarmError(code, message) };
    }
  }
}
