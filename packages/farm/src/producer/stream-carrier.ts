import { MAX_REQUEST_CHUNKS, type FarmError } from '@embedfarm/contract';
import { chunkLoad } from '../queue/chunk-load.ts';
import { ChunkRoom } from './chunk-room.ts';
import type { SharedTerms } from './coalesce.ts';
import { cancelChunks, makeJob, send, type EnqueuePorts } from './enqueue.ts';
import type { WhenOverloaded } from './overloaded.ts';
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

/** What a carrier has of its stream's call. */
export interface CarryTerms {
  /** How long a chunk is worth encoding once it is sent, in ms. */
  readonly patienceMs: number;
  readonly whenOverloaded: WhenOverloaded;
  /** The trace that the stream belongs to: see traceStream. */
  readonly trace: string | undefined;
  /** Why nothing came in time; `refusal` where there was no room. */
  readonly deadlineFault: (refusal: FarmError | undefined) => Promise<FarmError>;
}

/** Why the first chunk that waits for room has none; undefined where none waits. */
export function refusalOf(rooms: Iterable<ChunkRoom>): FarmError | undefined {
  for (const { refusal } of rooms) if (refusal) return refusal;
  return undefined;
}

/** Carries chunks as jobs. Those that nobody waits for are cancelled. */
export class QueueCarrier implements StreamCarrier {
  readonly model: string;
  readonly maxTexts: number;
  readonly isResumable = false;
  readonly #terms: SharedTerms;
  readonly #ports: EnqueuePorts;
  #requestId = '';
  readonly #outstanding = new Set<PendingChunk>();
  readonly #rooms = new Set<ChunkRoom>();
  readonly #call: CarryTerms;

  constructor(terms: SharedTerms, ports: EnqueuePorts, call: CarryTerms) {
    this.model = terms.registration.model;
    this.maxTexts = terms.maxTexts;
    this.#terms = terms;
    this.#ports = ports;
    this.#call = call;
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
      patienceMs: this.#call.patienceMs,
      trace: this.#call.trace,
    });
    const room = new ChunkRoom(this.#ports.lease, chunkLoad(texts, registration, this.#terms.options));
    this.#rooms.add(room);
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        const queue = this.#ports.queue(registration.model, lane);
        const chunk = this.#ports.pending.add(
          job,
          queue,
          (settled) => {
            this.#outstanding.delete(chunk);
            this.#rooms.delete(room);
            room.leave();
            resolve(settled);
          },
          reject,
        );
        this.#outstanding.add(chunk);
        send([chunk], this.#ports);
      };
      room.take(() => this.#call.whenOverloaded, { admit, refuse: reject });
    });
  }

  passed(): void {
    // An awaited result is gone once it is read.
  }

  deadlineFault(): Promise<FarmError> {
    return this.#call.deadlineFault(refusalOf(this.#rooms));
  }

  end(): void {
    for (const room of this.#rooms) room.leave();
    this.#rooms.clear();
    const requestIds = new Set(Array.from(this.#outstanding, ({ job }) => job.requestId));
    for (const requestId of requestIds) {
      const chunks = [...this.#outstanding].filter(({ job }) => job.requestId === requestId);
      cancelChunks(chunks, this.#ports);
    }
    this.#outstanding.clear();
  }
}
