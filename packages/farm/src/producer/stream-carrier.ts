import { MAX_REQUEST_CHUNKS, type FarmError } from '@embedfarm/contract';
import type { SharedTerms } from './coalesce.ts';
import { cancelChunks, makeJob, send, type EnqueuePorts } from './enqueue.ts';
import type { PendingChunk, SettledChunk } from './pending-chunks.ts';
import type { TextChunk } from './text-chunks.ts';

/** What brings the chunks of a stream to the workers, and their vectors back. */
export interface StreamCarrier {
  readonly model: string;
  /** Most texts of a chunk. */
  readonly maxTexts: number;
  /** A stream that is taken up again cuts its texts at the same places: only where a chunk is full. */
  readonly isResumable: boolean;
  /** Rejects with what ends the stream. */
  carry(chunk: TextChunk): Promise<SettledChunk>;
  /** The consumer is through with all chunks before this one. */
  passed(index: number): void;
  /** Nobody waits any more. `isDone`: the consumer has taken everything. */
  end(isDone: boolean): void;
  /** Why nothing came in time. */
  deadlineFault(): Promise<FarmError>;
}

/** Carries chunks as jobs. Those that nobody waits for are cancelled. */
export class QueueCarrier implements StreamCarrier {
  readonly model: string;
  readonly maxTexts: number;
  readonly isResumable = false;
  readonly #terms: SharedTerms;
  readonly #ports: EnqueuePorts;
  readonly #patienceMs: number;
  #requestId = '';
  readonly #outstanding = new Set<PendingChunk>();
  readonly deadlineFault: () => Promise<FarmError>;

  /** `patienceMs`: how long a chunk is worth encoding once it is sent. */
  constructor(
    terms: SharedTerms,
    ports: EnqueuePorts,
    patienceMs: number,
    deadlineFault: () => Promise<FarmError>,
  ) {
    this.model = terms.registration.model;
    this.maxTexts = terms.maxTexts;
    this.#terms = terms;
    this.#ports = ports;
    this.#patienceMs = patienceMs;
    this.deadlineFault = deadlineFault;
  }

  carry({ index, texts, refused }: TextChunk): Promise<SettledChunk> {
    const { registration, lane } = this.#terms;
    const chunkIndex = index % MAX_REQUEST_CHUNKS;
    // A stream may be longer than a request.
    if (chunkIndex === 0) this.#requestId = this.#ports.nextRequestId();
    const job = makeJob(this.#terms, this.#ports, {
      requestId: this.#requestId,
      chunkIndex,
      texts,
      refused,
      patienceMs: this.#patienceMs,
    });
    return new Promise((resolve, reject) => {
      const queue = this.#ports.queue(registration.model, lane);
      const chunk = this.#ports.pending.add(
        job,
        queue,
        (settled) => {
          this.#outstanding.delete(chunk);
          resolve(settled);
        },
        reject,
      );
      this.#outstanding.add(chunk);
      send([chunk], this.#ports);
    });
  }

  passed(): void {
    // An awaited result is gone once it is read.
  }

  end(): void {
    const requestIds = new Set(Array.from(this.#outstanding, ({ job }) => job.requestId));
    for (const requestId of requestIds) {
      const chunks = [...this.#outstanding].filter(({ job }) => job.requestId === requestId);
      cancelChunks(chunks, this.#ports);
    }
    this.#outstanding.clear();
  }
}
