import type { FarmError } from '@embedfarm/contract';
import { sumLoads, type Load } from '../queue/chunk-load.ts';
import { SLAB, type AdmissionAnswer, type FullThing } from '../redis/admission.ts';
import { neverFits, overloaded, pollAfterMs, type WhenOverloaded } from './overloaded.ts';

/** Room that a client no longer uses goes back this soon, where it is scarce. */
const SHRINK_MS = 500;

const NOTHING: Load = { texts: 0, bytes: 0 };

/** Somebody who wants room. Exactly one of the two is called, once, unless it leaves before. */
export interface RoomSeeker {
  readonly load: Load;
  /** Looked at when the farm is full. */
  whenOverloaded(): WhenOverloaded;
  admit(): void;
  refuse(error: FarmError): void;
  /** Why it waits; undefined before Redis was asked, and once it is in. */
  refusal?: FarmError | undefined;
}

/** What a client lease needs of its producer. */
export interface LeasePorts {
  ask(use: Load, options: { mustHold?: boolean }): Promise<AdmissionAnswer>;
  /** Whether Redis can be asked now. */
  isReady(): boolean;
  /** What asking failed with, as the farm's error. */
  faultOf(thrown: unknown): FarmError;
}

/**
 * The room of one client: what its calls hold is counted here, and Redis is asked only when that
 * outgrows the lease. First come, first served: a large seeker is not starved by small ones.
 */
export class ClientLease {
  readonly #ports: LeasePorts;
  #used = NOTHING;
  #lease = NOTHING;
  #spare = SLAB;
  /** Redis' memory is above the stop: nothing is taken unasked. */
  #isStopped = false;
  readonly #seekers = new Set<RoomSeeker>();
  #asking: Promise<void> | undefined;
  #poll: NodeJS.Timeout | undefined;
  #shrink: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ports: LeasePorts) {
    this.#ports = ports;
  }

  /** What is held now. */
  get used(): Load {
    return this.#used;
  }

  /** Room for `load`, if it is there without asking. */
  tryTake(load: Load): boolean {
    if (this.#isStopped || this.#seekers.size > 0 || !this.#hasRoom(load)) return false;
    this.#used = sumLoads([this.#used, load]);
    return true;
  }

  /** Gets in line. */
  seek(seeker: RoomSeeker): void {
    this.#seekers.add(seeker);
    this.#ask();
  }

  leave(seeker: RoomSeeker): void {
    this.#seekers.delete(seeker);
    if (this.#seekers.size === 0) this.#stopPolling();
  }

  /** What a chunk held is settled and read, or given up. */
  give(load: Load): void {
    this.#used = { texts: this.#used.texts - load.texts, bytes: this.#used.bytes - load.bytes };
    if (this.#seekers.size > 0 && !this.#isStopped) this.#admit();
    const unused = this.#unused();
    const isMuch = unused.texts > 2 * this.#spare.texts || unused.bytes > 2 * this.#spare.bytes;
    if (isMuch && !this.#closed) this.#shrink ??= setTimeout(() => void this.renew(), SHRINK_MS);
  }

  /** The heartbeat: the lease shrinks to what is used and some to spare, and is made again if Redis lost it. */
  async renew(): Promise<void> {
    clearTimeout(this.#shrink);
    this.#shrink = undefined;
    // Who asks tells Redis as much.
    if (this.#asking || this.#closed || !this.#ports.isReady()) return;
    this.#asking = this.#tell();
    await this.#asking;
    this.#ask();
  }

  /** Those who wait are the producer's to tell. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#shrink);
    this.#stopPolling();
    this.#seekers.clear();
  }

  async #tell(): Promise<void> {
    // Until the answer is here, no more is taken unasked than it is likely to allow.
    this.#lease = {
      texts: Math.min(this.#lease.texts, this.#used.texts + this.#spare.texts),
      bytes: Math.min(this.#lease.bytes, this.#used.bytes + this.#spare.bytes),
    };
    try {
      const use = this.#used;
      this.#note(await this.#ports.ask(use, { mustHold: true }), use);
    } catch {
      // The next heartbeat tells.
    } finally {
      this.#asking = undefined;
    }
  }

  /** One question is under way at a time; it is asked for all in line. */
  #ask(): void {
    if (this.#asking || this.#closed || this.#seekers.size === 0) return;
    this.#stopPolling();
    // Not before this turn is over: all that it brings are asked for at once.
    this.#asking = Promise.resolve()
      .then(() => this.#askForAll())
      .catch((thrown: unknown) => {
        const error = this.#ports.faultOf(thrown);
        for (const seeker of this.#seekers) this.#turnAway(seeker, error);
      })
      .finally(() => {
        this.#asking = undefined;
        if (this.#poll === undefined) this.#ask();
      });
  }

  async #askForAll(): Promise<void> {
    let first = this.#seekers.size;
    while (!this.#closed && this.#seekers.size > 0) {
      const asked = [...this.#seekers].slice(0, first);
      const use = sumLoads([this.#used, ...asked.map(({ load }) => load)]);
      const answer = await this.#ports.ask(use, {});
      if (answer.full === undefined) {
        this.#note(answer, use);
        this.#admit();
        first = this.#seekers.size;
        continue;
      }
      this.#isStopped = isStopped(answer);
      const fitting = this.#fitting(answer, asked);
      if (fitting > 0) {
        first = fitting;
        continue;
      }
      this.#refuse(answer, answer.full);
      break;
    }
  }

  /** How many of those in line fit into what is left of the farm; fewer than were asked for. */
  #fitting({ full, farm, lease }: AdmissionAnswer, asked: readonly RoomSeeker[]): number {
    if (full === 'memory') return 0;
    let use = this.#used;
    let count = 0;
    for (const { load } of asked.slice(0, -1)) {
      use = sumLoads([use, load]);
      if (farm.texts - lease.texts + use.texts > farm.maxTexts) break;
      if (farm.bytes - lease.bytes + use.bytes > farm.maxBytes) break;
      count += 1;
    }
    return count;
  }

  #note(answer: AdmissionAnswer, use: Load): void {
    this.#lease = answer.lease;
    this.#spare = { texts: answer.lease.texts - use.texts, bytes: answer.lease.bytes - use.bytes };
    this.#isStopped = isStopped(answer);
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#seekers;
      if (next === undefined || !this.#hasRoom(next.load)) return;
      this.#seekers.delete(next);
      next.refusal = undefined;
      this.#used = sumLoads([this.#used, next.load]);
      next.admit();
    }
  }

  /** Who does not wait is told; the others ask again after a while. */
  #refuse(answer: AdmissionAnswer, full: FullThing): void {
    let use = this.#used;
    for (const seeker of this.#seekers) {
      // Beyond what the lease has: for it, and for those before it.
      use = sumLoads([use, seeker.load]);
      const more = { texts: use.texts - answer.lease.texts, bytes: use.bytes - answer.lease.bytes };
      const refusal = neverFits(seeker.load, answer.farm) ?? overloaded(answer, full, more);
      if (refusal.code === 'overloaded' && seeker.whenOverloaded() === 'wait') seeker.refusal = refusal;
      else this.#turnAway(seeker, refusal);
    }
    if (this.#seekers.size === 0 || this.#closed) return;
    this.#poll = setTimeout(() => {
      this.#poll = undefined;
      this.#ask();
    }, pollAfterMs());
  }

  #turnAway(seeker: RoomSeeker, error: FarmError): void {
    this.#seekers.delete(seeker);
    seeker.refuse(error);
  }

  #hasRoom({ texts, bytes }: Load): boolean {
    const unused = this.#unused();
    return texts <= unused.texts && bytes <= unused.bytes;
  }

  #unused(): Load {
    return {
      texts: this.#lease.texts - this.#used.texts,
      bytes: this.#lease.bytes - this.#used.bytes,
    };
  }

  #stopPolling(): void {
    clearTimeout(this.#poll);
    this.#poll = undefined;
  }
}

function isStopped({ farm: { memory } }: AdmissionAnswer): boolean {
  return memory.usedBytes > memory.stopBytes;
}
