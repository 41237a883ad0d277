import { FarmError, MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { ClosedLoop, type LoopCalls, type Span } from '../closed-loop.ts';
import { farmEncode } from '../encode.ts';
import type { Meter, Usage } from '../meter.ts';
import { Arrivals, type ArrivedCalls } from './arrivals.ts';
import { readBack, type ReadBack, type ReadBackSpec } from './read-back.ts';
import { checkVector, shortText, shortTexts } from './short-texts.ts';

export interface LoopSpec {
  readonly clients: number;
  readonly callsAtOnce: number;
  /** See ClosedLoop. */
  readonly maxPauseMs: number;
}

/** What the bench asks a process of clients, and what comes back. */
export interface QueueClientCalls {
  /** Answered once the process is open. */
  ready: { request: object; answer: null };
  meterBegin: { request: object; answer: null };
  meterRead: { request: object; answer: Usage };
  /** The first `clients` instances each keep `callsAtOnce` calls of one text under way; those of one tick share a job. */
  loopStart: { request: LoopSpec; answer: null };
  loopStop: { request: { span: Span }; answer: LoopCalls };
  /** A bulk call of one chunk every `everyMs`, whether the one before has ended or not. */
  arrivalsStart: { request: { everyMs: number }; answer: null };
  arrivalsStop: { request: object; answer: ArrivedCalls };
  /** Resolves when all texts are in the farm. @returns the request's id. */
  submit: { request: { texts: number }; answer: string };
  /** @returns texts of a request that have a vector. */
  done: { request: { id: string }; answer: number };
  /** Takes a request back, and deletes what was done of it. */
  cancel: { request: { id: string }; answer: null };
  /** One awaited call. @returns seconds. */
  encode: { request: { texts: number }; answer: number };
  readBack: { request: ReadBackSpec; answer: ReadBack };
}
type QueueClientRequest = {
  [Kind in keyof QueueClientCalls]: { kind: Kind } & QueueClientCalls[Kind]['request'];
}[keyof QueueClientCalls];

// Calls of different clients hold different texts.
const TEXTS_PER_CALLER = 512;

/** Puts loads on the SDK instances of its process. */
export class QueueClientRunner {
  readonly #farms: readonly EmbeddingFarm[];
  readonly #meter: Meter;
  #loop: ClosedLoop | undefined;
  #arrivals: Arrivals | undefined;

  constructor(farms: readonly EmbeddingFarm[], meter: Meter) {
    this.#farms = farms;
    this.#meter = meter;
  }

  async handle(request: QueueClientRequest): Promise<QueueClientCalls[keyof QueueClientCalls]['answer']> {
    switch (request.kind) {
      case 'ready':
        return null;
      case 'meterBegin':
        this.#meter.begin();
        return null;
      case 'meterRead':
        return this.#meter.read();
      case 'loopStart':
        this.#loop = this.#startLoop(request);
        return null;
      case 'loopStop':
        return opened(this.#loop).stop(request.span);
      case 'arrivalsStart':
        this.#arrivals = Arrivals.start(this.#first, request.everyMs);
        return null;
      case 'arrivalsStop':
        return opened(this.#arrivals).stop();
      case 'submit':
        return this.#submit(request.texts);
      case 'done':
        return (await this.#first.request(request.id).status()).done;
      case 'cancel':
        await cancel(this.#first, request.id);
        return null;
      case 'encode':
        return this.#encode(request.texts);
      case 'readBack':
        return readBack(this.#first, request);
    }
  }

  #startLoop({ clients, callsAtOnce, maxPauseMs }: LoopSpec): ClosedLoop {
    const callers = this.#farms.slice(0, clients).flatMap((farm) => {
      const encode = farmEncode(farm);
      return Array.from({ length: callsAtOnce }, () => encode);
    });
    const textsOf = (caller: number): string[] =>
      Array.from({ length: TEXTS_PER_CALLER }, (_, index) => shortText(caller * TEXTS_PER_CALLER + index));
    return ClosedLoop.start(callers, textsOf, { maxPauseMs });
  }

  async #submit(texts: number): Promise<string> {
    const request = await this.#first.submit(shortTexts(texts), { lane: 'bulk' });
    await request.filled;
    return request.id;
  }

  async #encode(count: number): Promise<number> {
    const texts = [...shortTexts(count)];
    const beginMs = performance.now();
    const embeddings = await this.#first.encode(texts, { lane: 'bulk' });
    const seconds = (performance.now() - beginMs) / 1_000;
    for (let index = 0; index < count; index += MAX_CHUNK_TEXTS) {
      checkVector(index, embeddings.at(index)[0]);
    }
    return seconds;
  }

  get #first(): EmbeddingFarm {
    return opened(this.#farms[0]);
  }
}

async function cancel(farm: EmbeddingFarm, id: string): Promise<void> {
  const request = farm.request(id);
  await request.cancel();
  await request.wait();
  await request.discard();
}

function opened<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new FarmError('internal', 'the bench asks for what was not begun');
  return part;
}
