import {
  cacheTtlOf,
  checkOptions,
  encodeOptionsSchema,
  MAX_CHUNK_BYTES,
  MAX_CHUNK_TEXTS,
  textBytes,
  type EncodeOptions,
  type EncodeRequest,
  type Lane,
  type ModelRegistration,
} from '@embedfarm/contract';
import type { CallPart } from './call-part.ts';
import { maxChunkTexts } from './split-texts.ts';

/** What calls must have in common to share a job. */
export interface SharedTerms {
  readonly registration: ModelRegistration;
  readonly lane: Lane;
  readonly options: EncodeOptions;
  readonly tenant: string | undefined;
  /** How long vectors are kept by their content; undefined where the cache is neither read nor written. */
  readonly cacheTtlMs: number | undefined;
  /** Most texts of one chunk. */
  readonly maxTexts: number;
}

/**
 * Up to one chunk of texts somebody waits for goes first, more is bulk.
 *
 * @throws FarmError `invalid_argument` when the model cannot do what is asked for.
 */
export function sharedTerms(
  request: EncodeRequest,
  registration: ModelRegistration,
  texts: number,
): SharedTerms {
  const { model: _, lane, tenant, cache, ...wishes } = request;
  const options = encodeOptionsSchema.parse(wishes);
  checkOptions(options, registration);
  return {
    registration,
    lane: lane ?? (texts > MAX_CHUNK_TEXTS ? 'bulk' : 'interactive'),
    options,
    tenant,
    cacheTtlMs: cacheTtlOf(cache),
    maxTexts: maxChunkTexts(registration, options),
  };
}

/** Calls whose texts travel as one chunk, one call's after the other's. */
export class SharedChunk {
  readonly terms: SharedTerms;
  readonly #calls: CallPart[] = [];
  #texts = 0;
  #bytes = 0;

  constructor(terms: SharedTerms) {
    this.terms = terms;
  }

  get calls(): readonly CallPart[] {
    return this.#calls;
  }

  /** @returns false when the call does not fit any more. */
  add(call: CallPart, bytes: number): boolean {
    const { maxTexts } = this.terms;
    const isFull = this.#texts + call.texts.length > maxTexts || this.#bytes + bytes > MAX_CHUNK_BYTES;
    if (isFull && this.#texts > 0) return false;
    this.#calls.push(call);
    this.#texts += call.texts.length;
    this.#bytes += bytes;
    return true;
  }
}

/** Gathers the calls of one tick into shared chunks, by their terms. */
export class Coalescer {
  readonly #enqueue: (chunk: SharedChunk) => void;
  #open = new Map<string, SharedChunk>();
  /** The last one made: calls with the same options have the same terms. */
  #key: { readonly terms: SharedTerms; readonly value: string } | undefined;

  constructor(enqueue: (chunk: SharedChunk) => void) {
    this.#enqueue = enqueue;
  }

  /** The call's texts must fit one chunk. */
  add(call: CallPart, terms: SharedTerms): void {
    const key = this.#keyOf(terms);
    // One flush a tick: everything that came in with the same turn of the loop is in it.
    if (this.#open.size === 0) setImmediate(() => this.#flush());
    const bytes = call.texts.reduce((total, text) => total + textBytes(text), 0);
    const chunk = this.#open.get(key);
    if (chunk?.add(call, bytes) === true) return;
    if (chunk) this.#enqueue(chunk);
    const next = new SharedChunk(terms);
    next.add(call, bytes);
    this.#open.set(key, next);
  }

  #keyOf(terms: SharedTerms): string {
    if (this.#key?.terms === terms) return this.#key.value;
    const value = JSON.stringify([
      terms.registration.fingerprint,
      terms.registration.model,
      terms.lane,
      terms.tenant ?? null,
      terms.cacheTtlMs ?? null,
      terms.options,
    ]);
    this.#key = { terms, value };
    return value;
  }

  #flush(): void {
    const chunks = [...this.#open.values()];
    this.#open = new Map();
    for (const chunk of chunks) this.#enqueue(chunk);
  }
}
