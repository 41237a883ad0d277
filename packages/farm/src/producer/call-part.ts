import type { EncodeText, FarmError } from '@embedfarm/contract';
import type { WhenOverloaded } from './overloaded.ts';
import type { SettledChunk } from './pending-chunks.ts';

/** What of a call travels in chunks: all of its texts, or those that the cache does not have. */
export interface CallPart {
  readonly texts: readonly EncodeText[];
  readonly hasEnded: boolean;
  /** How long its chunks are worth encoding, from now, in ms. */
  readonly patienceMs: number;
  /** What to do where the farm is full. */
  readonly whenOverloaded: WhenOverloaded;
  /** The trace that the call belongs to, as its job carries it. */
  readonly trace: string | undefined;
  /** Settles when the call has ended, either way. */
  readonly ended: Promise<unknown>;
  /** Texts `from` up to `to` of a chunk are the part's texts from `at` on. */
  put(at: number, chunk: SettledChunk, from: number, to: number): void;
  fail(error: FarmError): void;
  /** `refusal` tells at the deadline whether the call has come to nothing for lack of room. */
  explainDeadline(refusal: () => FarmError | undefined): void;
  /** Called once if the call ends before its last chunk. */
  onDetach(listener: () => void): void;
}
