import { seededRandom } from '@embedfarm/testkit/seeded-random';

/** What a case is made of: the same for the same seed, so that it can be run again. */
export class SeededRandom {
  /** The next number, from 0 up to, and without, 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seededRandom(Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b));
  }

  /** A generator of its own for one case, whatever the others have drawn. */
  static ofCase(seed: number, number: number): SeededRandom {
    return new SeededRandom(Math.imul(seed + 1, 0x01_00_01_93) ^ Math.imul(number + 1, 0x27d4_eb2f));
  }

  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.below(items.length)] as Item;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}
