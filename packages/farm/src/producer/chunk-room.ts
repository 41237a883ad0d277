import type { FarmError } from '@embedfarm/contract';
import type { Load } from '../queue/chunk-load.ts';
import type { ClientLease, RoomSeeker } from './client-lease.ts';
import type { WhenOverloaded } from './overloaded.ts';

/** The room in the farm of one chunk: taken, or waited for, and given back once. */
export class ChunkRoom {
  readonly #lease: ClientLease;
  readonly #load: Load;
  #seeker: RoomSeeker | undefined;
  #isTaken = false;

  constructor(lease: ClientLease, load: Load) {
    this.#lease = lease;
    this.#load = load;
  }

  /** Why it waits; undefined where it does not. */
  get refusal(): FarmError | undefined {
    return this.#seeker?.refusal;
  }

  /** Calls one of the two, at once or later; none after `leave`. `whenOverloaded` is looked at when the farm is full. */
  take(
    whenOverloaded: () => WhenOverloaded,
    { admit, refuse }: { admit: () => void; refuse: (error: FarmError) => void },
  ): void {
    const enter = (): void => {
      this.#seeker = undefined;
      this.#isTaken = true;
      admit();
    };
    if (this.#lease.tryTake(this.#load)) return enter();
    this.#seeker = { load: this.#load, whenOverloaded, admit: enter, refuse };
    this.#lease.seek(this.#seeker);
  }

  leave(): void {
    if (this.#seeker) this.#lease.leave(this.#seeker);
    if (this.#isTaken) this.#lease.give(this.#load);
    this.#seeker = undefined;
    this.#isTaken = false;
  }
}
