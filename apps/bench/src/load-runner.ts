import { FarmError } from '@embedfarm/contract';
import { ClosedLoop, type LoopCalls, type Span } from './closed-loop.ts';
import type { Encode } from './encode.ts';
import type { Meter, Usage } from './meter.ts';
import { workloadTexts, type WorkloadSpec } from './workload.ts';

/** What the bench asks a process that it measures, and what comes back. */
export interface MeasureCalls {
  /** Answered once the process is open. */
  ready: { request: object; answer: null };
  meterBegin: { request: object; answer: null };
  meterRead: { request: object; answer: Usage };
  /** One call with all texts. */
  bulk: { request: { workload: WorkloadSpec }; answer: BulkCall };
  /** One text at a time, nothing else: the first `calls` texts. @returns ms per call. */
  singles: { request: { workload: WorkloadSpec; calls: number }; answer: number[] };
  /** Client i of this process is number `firstClient + i` of `clients`. */
  loopStart: { request: { workload: WorkloadSpec; firstClient: number; clients: number }; answer: null };
  loopStop: { request: { span: Span }; answer: LoopCalls };
}
export type MeasureRequest = {
  [Kind in keyof MeasureCalls]: { kind: Kind } & MeasureCalls[Kind]['request'];
}[keyof MeasureCalls];

export interface BulkCall {
  readonly seconds: number;
  readonly tokens: number;
  /** SHA-256 of all vectors. */
  readonly digest: string;
}

/** Puts loads on encoders of its own process. */
export class LoadRunner {
  readonly #encoders: readonly Encode[];
  readonly #meter: Meter;
  #loop: ClosedLoop | undefined;
  #texts: { key: string; texts: readonly string[] } | undefined;

  /** Bulk and single calls go to the first encoder; a closed loop has one client for each. */
  constructor(encoders: readonly Encode[], meter: Meter) {
    this.#encoders = encoders;
    this.#meter = meter;
  }

  async handle(request: MeasureRequest): Promise<MeasureCalls[keyof MeasureCalls]['answer']> {
    switch (request.kind) {
      case 'ready':
        return null;
      case 'meterBegin':
        this.#meter.begin();
        return null;
      case 'meterRead':
        return this.#meter.read();
      case 'bulk':
        return this.#bulk(this.#textsOf(request.workload));
      case 'singles':
        return this.#singles(this.#textsOf(request.workload).slice(0, request.calls));
      case 'loopStart': {
        const texts = this.#textsOf(request.workload);
        const { firstClient, clients } = request;
        this.#loop = ClosedLoop.start(this.#encoders, (client) =>
          texts.filter((_, index) => index % clients === firstClient + client),
        );
        return null;
      }
      case 'loopStop':
        if (this.#loop === undefined) throw new FarmError('internal', 'no loop runs');
        return this.#loop.stop(request.span);
    }
  }

  async #bulk(texts: readonly string[]): Promise<BulkCall> {
    const beginMs = performance.now();
    const { tokens, digest } = await this.#first(texts, 'bulk');
    const seconds = (performance.now() - beginMs) / 1_000;
    return { seconds, tokens, digest: digest() };
  }

  async #singles(texts: readonly string[]): Promise<number[]> {
    const callsMs: number[] = [];
    for (const text of texts) {
      const beginMs = performance.now();
      await this.#first([text], 'interactive');
      callsMs.push(performance.now() - beginMs);
    }
    return callsMs;
  }

  get #first(): Encode {
    const [first] = this.#encoders;
    if (first === undefined) throw new FarmError('internal', 'this process encodes nothing');
    return first;
  }

  /** Made before a load begins, and kept for the next one. */
  #textsOf(workload: WorkloadSpec): readonly string[] {
    const key = JSON.stringify(workload);
    if (this.#texts?.key !== key) this.#texts = { key, texts: workloadTexts(workload) };
    return this.#texts.texts;
  }
}
