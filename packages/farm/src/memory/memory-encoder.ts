import {
  quantizeRows,
  type DeviceReport,
  type EncodeOptions,
  type EncodeText,
  type ModelRegistration,
  type TextFailure,
  type VectorBlock,
} from '@embedfarm/contract';
import type { Encoder } from '../worker/encoder.ts';
import { hashVector } from './hash-vector.ts';
import { toSequence } from './memory-sequence.ts';

/**
 * An encoder without a model: words are tokens, and a text's vector is made of its hash. It keeps an engine's promises
 * all the same: dtypes, dimensions, receipts, truncation, pairs, lists of tokens.
 */
export class MemoryEncoder implements Encoder {
  readonly backlogMs = 0;
  readonly waitingTexts = 0;
  readonly #registration: ModelRegistration;

  constructor(registration: ModelRegistration) {
    this.#registration = registration;
  }

  async encode(texts: readonly EncodeText[], options: EncodeOptions): Promise<VectorBlock> {
    const { maxSequenceLength } = this.#registration;
    const { dimensions = this.#registration.dimensions, dtype, truncate, returnTokens = false } = options;
    const vectors: Float32Array[] = [];
    const tokenLists: (readonly string[])[] = [];
    const failures: TextFailure[] = [];
    const firstRows = new Uint32Array(texts.length + 1);
    const truncated = new Uint8Array(texts.length);
    for (const [index, text] of texts.entries()) {
      const { tokens, length } = toSequence(text, options, maxSequenceLength);
      if (truncate === 'error' && length > maxSequenceLength) {
        const message = `the text has ${length} tokens, limit is ${maxSequenceLength}`;
        failures.push({ code: 'sequence_too_long', message, texts: [index] });
        tokenLists.push([]);
      } else {
        vectors.push(this.#vectorOf(text, options, dimensions));
        tokenLists.push(tokens);
        truncated[index] = length > maxSequenceLength ? 1 : 0;
      }
      firstRows[index + 1] = vectors.length;
    }
    const values = new Float32Array(vectors.length * dimensions);
    for (const [row, vector] of vectors.entries()) values.set(vector, row * dimensions);
    return {
      dtype,
      dimensions,
      values: quantizeRows(values, dimensions, dtype),
      firstRows,
      tokens: Uint32Array.from(tokenLists, ({ length }) => length),
      truncated,
      failures,
      ...(returnTokens ? { tokenLists } : {}),
      timing: { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 },
    };
  }

  /** Nothing runs in batches. */
  onBatchEnd(): () => void {
    return () => undefined;
  }

  deviceReports(): DeviceReport[] {
    return [{ name: 'memory', slots: 1, tokenBudget: 1, busyShare: 0 }];
  }

  throughput(): { textsPerSecond: number; tokensPerSecond: number } {
    return { textsPerSecond: 0, tokensPerSecond: 0 };
  }

  /** Of what decides a vector; `dimensions` and `dtype` are only what is done with it. */
  #vectorOf(text: EncodeText, options: EncodeOptions, dimensions: number): Float32Array {
    const { model, fingerprint, defaultPromptName, ...registration } = this.#registration;
    const { normalize = registration.normalize, prompt, tokens = false } = options;
    const { promptName = defaultPromptName } = options;
    const before = prompt === undefined ? { promptName } : prompt === '' ? {} : { prompt };
    return hashVector(JSON.stringify([model, fingerprint, tokens, before, text]), dimensions, normalize);
  }
}
