/** A lone batch runs on one core, or on all of them together. */
export type LoneWay = 'core' | 'together';

// So many runs of each way before one is preferred; one in so many later ones checks the other way.
const LEARNING_RUNS = 3;
const RECHECK_RUNS = 64;
// All cores for less than this are better left to others.
const MIN_GAIN = 0.1;
const NEW_SHARE = 0.1;

interface Ran {
  readonly runs: number;
  readonly msPerToken: number;
}

/** Batches whose tokens round up to the same power of two. */
interface Bucket {
  choices: number;
  core: Ran;
  together: Ran;
}

/**
 * Learns from runs which way is the faster one, by length: short texts and small models are slower on several
 * cores than on one, by how much depends on the machine and on what else runs there. Both ways give the same
 * bits, so trying them harms nobody.
 */
export class LoneWays {
  readonly #buckets = new Map<number, Bucket>();

  choose(tokens: number): LoneWay {
    const bucket = this.#bucketOf(tokens);
    bucket.choices += 1;
    const { core, together, choices } = bucket;
    if (together.runs < LEARNING_RUNS) return 'together';
    if (core.runs < LEARNING_RUNS) return 'core';
    const isTogether = together.msPerToken < core.msPerToken * (1 - MIN_GAIN);
    const isRecheck = choices % RECHECK_RUNS === 0;
    return isTogether !== isRecheck ? 'together' : 'core';
  }

  /** What a lone batch took, with nothing beside it. */
  note(tokens: number, way: LoneWay, ms: number): void {
    const bucket = this.#bucketOf(tokens);
    const { runs, msPerToken } = bucket[way];
    const now = ms / tokens;
    // The first run allocates: until there are enough, the fastest counts.
    const learned =
      runs < LEARNING_RUNS ? Math.min(msPerToken, now) : msPerToken + (now - msPerToken) * NEW_SHARE;
    bucket[way] = { runs: runs + 1, msPerToken: learned };
  }

  #bucketOf(tokens: number): Bucket {
    const key = Math.ceil(Math.log2(tokens));
    const known = this.#buckets.get(key);
    if (known) return known;
    const unknown: Ran = { runs: 0, msPerToken: Infinity };
    const bucket = { choices: 0, core: unknown, together: unknown };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
