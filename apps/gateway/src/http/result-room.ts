import type { AnyEmbeddings } from '@embedfarm/sdk';
import type { Response } from 'express';
import type { OpenRequests } from './open-requests.ts';

/** Of a text whose model has not answered yet: 768 float32. */
const FIRST_GUESS_BYTES = 3_072;

/** Room for vectors from before they are asked for until the last of them is sent: a caller may read slowly. */
export class ResultRoom {
  readonly #open: OpenRequests;
  /** What a text of each model came to last. */
  readonly #bytesPerText = new Map<string, number>();

  constructor(open: OpenRequests) {
    this.#open = open;
  }

  /** @throws FarmError `overloaded` where there is none. */
  hold(response: Response, model: string | undefined, texts: number): void {
    const bytes = texts * (this.#bytesPerText.get(model ?? '') ?? FIRST_GUESS_BYTES);
    response.once('close', this.#open.hold(bytes));
  }

  /** @param asked the name that the call had, if any. */
  learn(asked: string | undefined, embeddings: AnyEmbeddings): void {
    if (embeddings.failures.length > 0) return;
    let bytes = 0;
    for (let index = 0; index < embeddings.rows; index += 1) bytes += embeddings.bytesAt(index).byteLength;
    this.#bytesPerText.set(asked ?? '', bytes / embeddings.rows);
  }
}
