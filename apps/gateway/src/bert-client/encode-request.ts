import { FarmError, type Lane } from '@embedfarm/contract';
import { TextsFailedError, type AnyEmbeddings } from '@embedfarm/sdk';
import type { ResolvedBertDoorOptions } from './bert-door-options.ts';
import type { ClientTurns } from './client-turns.ts';
import type { FarmLink } from './farm-link.ts';
import type { DoorRequest } from './read-request.ts';
import { readTexts, type DoorTexts } from './read-texts.ts';
import type { ResultArray } from './result-frames.ts';
import { ResultRows } from './result-rows.ts';

/** As the SDK has it: for up to so many texts somebody waits. */
const MAX_INTERACTIVE_TEXTS = 256;
/** Texts that go to the farm in one call: clients take turns by these. A request has two such calls under way at most. */
const SLICE_TEXTS = 4_096;

export interface EncodePorts {
  readonly link: FarmLink;
  readonly turns: ClientTurns;
  readonly options: ResolvedBertDoorOptions;
}

/** How a request gets its turns. */
interface Passage {
  readonly client: string;
  readonly lane: Lane;
  readonly order: number;
  readonly signal: AbortSignal;
}

/**
 * The vectors of a request. Its JSON is read when its turn has come.
 *
 * @param abort ends it early, and is used where a slice fails.
 *
 * @throws FarmError of the request, or of the first slice that failed; `texts_failed` where single texts did. With
 * `failures: 'nan'` those have rows of NaN, and only what is no request at all throws.
 */
export async function encodeRequest(
  { body, client, rows }: DoorRequest,
  ports: EncodePorts,
  abort: AbortController,
): Promise<{ array: ResultArray; texts: number }> {
  const { maxRequestBytes, maxRequestTexts } = ports.options;
  if (body.length > maxRequestBytes) {
    throw new FarmError('invalid_argument', `${body.length} bytes of texts, limit is ${maxRequestBytes}`);
  }
  const lane = rows <= MAX_INTERACTIVE_TEXTS ? 'interactive' : 'bulk';
  const passage: Passage = { client, lane, order: ports.turns.nextOrder(), signal: abort.signal };
  try {
    let call: SlicedCall | undefined;
    let second: Promise<void> | undefined;
    await ports.turns.run({ ...passage, texts: Math.min(rows, SLICE_TEXTS) }, async () => {
      call = new SlicedCall(readTexts(body, { maxTexts: maxRequestTexts }), passage, ports);
      const first = call.encodeNext();
      // The next slice waits in the farm while this one is encoded.
      second = call.encodeRest();
      second.catch(() => undefined);
      await first;
    });
    if (!call) throw new FarmError('internal', 'a turn ended before its work');
    await Promise.all([second, call.encodeRest()]);
    return { array: await call.toArray(), texts: call.texts };
  } catch (thrown) {
    // The slices that go on are for nothing.
    abort.abort();
    throw FarmError.from(thrown);
  }
}

/** One request on its way, slice by slice. */
class SlicedCall {
  readonly #read: DoorTexts;
  readonly #passage: Passage;
  readonly #ports: EncodePorts;
  readonly #rows: ResultRows;
  #next = 0;

  constructor(read: DoorTexts, passage: Passage, ports: EncodePorts) {
    this.#read = read;
    this.#passage = passage;
    this.#ports = ports;
    const { maxResultBytes, showTokens } = ports.options;
    this.#rows = new ResultRows(read.texts.length, { maxBytes: maxResultBytes, showTokens });
  }

  get texts(): number {
    return this.#read.texts.length;
  }

  /** Slices that nobody has begun, each in its turn. */
  async encodeRest(): Promise<void> {
    while (this.#next < this.texts) {
      const texts = Math.min(SLICE_TEXTS, this.texts - this.#next);
      await this.#ports.turns.run({ ...this.#passage, texts }, () => this.encodeNext());
    }
  }

  async encodeNext(): Promise<void> {
    const from = this.#next;
    if (from >= this.texts) return;
    this.#next = from + SLICE_TEXTS;
    const embeddings = await this.#encode(from);
    if (embeddings) this.#rows.put(from, embeddings);
  }

  async toArray(): Promise<ResultArray> {
    const { pooling, dimensions } = await this.#ports.link.model(this.#passage.signal);
    return this.#rows.toArray({ pooled: pooling !== 'none', dimensions });
  }

  /** @returns undefined where a slice failed as a whole, and its rows are to be NaN. */
  async #encode(from: number): Promise<AnyEmbeddings | undefined> {
    const { link, options } = this.#ports;
    const { lane, signal } = this.#passage;
    const { model, tenant, normalize, showTokens, timeoutMs, failures } = options;
    try {
      const farm = await link.farm(signal);
      return await farm.encode(this.#read.texts.slice(from, from + SLICE_TEXTS), {
        dtype: 'float32',
        tokens: this.#read.tokens,
        lane,
        model,
        tenant,
        normalize,
        returnTokens: showTokens,
        timeoutMs,
        signal,
        whenOverloaded: 'wait',
      });
    } catch (thrown) {
      if (failures === 'raise' || signal.aborted) throw thrown;
      return thrown instanceof TextsFailedError ? thrown.embeddings : undefined;
    }
  }
}
