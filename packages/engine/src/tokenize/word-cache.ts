const SLOTS = 65_536;
/** Slots where a word may stand: the one that its hash says, and its neighbours. */
const WAYS = 4;
/** Longer words are rare, and cut into pieces each time. */
const MAX_UNITS = 24;
const MAX_IDS = 8;

/**
 * Words that were met, as they stand in the text, with their token ids. Fixed in size (6 MB), no strings and
 * no garbage; a new word takes the place of an old one, so no text can make it slow or large.
 */
export class WordCache {
  readonly #units = new Uint16Array(SLOTS * MAX_UNITS);
  /** 0: free. */
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #ids = new Int32Array(SLOTS * MAX_IDS);
  readonly #counts = new Uint8Array(SLOTS);
  /** Which of the ways the next new word takes. */
  #next = 0;

  /**
   * Copies the ids of the word `text[from, to)` into `ids` from `count` on, which must have room for 8.
   *
   * @returns how many ids, or -1 where the word is not known.
   */
  read(text: string, from: number, to: number, ids: Int32Array, count: number): number {
    const length = to - from;
    if (length > MAX_UNITS) return -1;
    const first = slotOf(text, from, to);
    for (let way = 0; way < WAYS; way += 1) {
      const slot = first ^ way;
      if (this.#lengths[slot] !== length || !this.#holds(slot, text, from, length)) continue;
      const found = this.#counts[slot] ?? 0;
      for (let at = 0; at < found; at += 1) ids[count + at] = this.#ids[slot * MAX_IDS + at] ?? 0;
      return found;
    }
    return -1;
  }

  /** Keeps a word that `read` did not find, where it is short enough. Its ids are `ids[begin, end)`. */
  put(text: string, from: number, to: number, ids: Int32Array, begin: number, end: number): void {
    const length = to - from;
    if (length > MAX_UNITS || end - begin > MAX_IDS) return;
    const slot = slotOf(text, from, to) ^ this.#next;
    this.#next = (this.#next + 1) % WAYS;
    for (let at = 0; at < length; at += 1) this.#units[slot * MAX_UNITS + at] = text.charCodeAt(from + at);
    this.#lengths[slot] = length;
    this.#ids.set(ids.subarray(begin, end), slot * MAX_IDS);
    this.#counts[slot] = end - begin;
  }

  #holds(slot: number, text: string, from: number, length: number): boolean {
    const units = this.#units;
    const base = slot * MAX_UNITS;
    for (let at = 0; at < length; at += 1) {
      if (units[base + at] !== text.charCodeAt(from + at)) return false;
    }
    return true;
  }
}

// FNV-1a over UTF-16 units; its low bits are its worst.
function slotOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}
