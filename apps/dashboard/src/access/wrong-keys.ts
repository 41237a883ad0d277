/** A person mistypes. */
const FREE_TRIES = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Wrong keys are forgotten after so long without another. */
const FORGET_MS = 15 * 60_000;
/** Addresses that are remembered; beyond them the one that tried longest ago is forgotten. */
const MAX_ADDRESSES = 1_000;

interface Tries {
  readonly count: number;
  readonly lastAtMs: number;
}

/** Slows down who guesses: after five wrong keys from an address its next one waits 1 s, then 2 s, up to a minute. */
export class WrongKeys {
  /** By address, the one that tried last at the end. */
  readonly #tries = new Map<string, Tries>();

  get size(): number {
    return this.#tries.size;
  }

  /** How long no key of this address is looked at; 0 where it may try. */
  waitMs(address: string | undefined, nowMs: number): number {
    const tries = this.#tries.get(network(address));
    if (!tries || tries.count < FREE_TRIES || nowMs < tries.lastAtMs) return 0;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (tries.count - FREE_TRIES), LONGEST_WAIT_MS);
    return Math.max(0, tries.lastAtMs + waitMs - nowMs);
  }

  note(address: string | undefined, nowMs: number): void {
    const from = network(address);
    const before = this.#tries.get(from);
    const isFresh = before !== undefined && nowMs - before.lastAtMs < FORGET_MS;
    this.#tries.delete(from);
    this.#tries.set(from, { count: isFresh ? before.count + 1 : 1, lastAtMs: nowMs });
    for (const [oldest] of this.#tries) {
      if (this.#tries.size <= MAX_ADDRESSES) break;
      this.#tries.delete(oldest);
    }
  }

  forget(address: string | undefined): void {
    this.#tries.delete(network(address));
  }
}

/** Whoever has one address of IPv6 has the 64 bits behind it too. */
function network(address = ''): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? expand(plain).slice(0, 4).join(':') : plain;
}

function expand(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left;
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
}
