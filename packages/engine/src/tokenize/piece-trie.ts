/**
 * The vocabulary as a tree of UTF-16 units, in flat arrays: the longest piece at a place of a word is found
 * without a string being made, and a hostile word costs no more than its length times the longest piece.
 */
export class PieceTrie {
  /** Root of the pieces that begin a word. */
  readonly start = 0;
  /** Root of the pieces that go on a word. */
  readonly inside = 1;
  /** Where the piece that `longest` found ends. */
  end = 0;
  #nodes = 2;
  #tokenOf = new Int32Array(MIN_NODES).fill(NO_TOKEN);
  #parentOf = new Int32Array(MIN_NODES);
  #unitOf = new Uint16Array(MIN_NODES);
  /** Open addressing, at most half full: (parent, unit) → child, 0 where there is none. */
  #children = new Int32Array(MIN_NODES * 2);

  /** @param continuing what a piece that goes on a word begins with. */
  constructor(vocabulary: ReadonlyMap<string, number>, continuing: string) {
    for (const [token, id] of vocabulary) {
      this.#add(this.start, token, id);
      if (token.startsWith(continuing)) this.#add(this.inside, token.slice(continuing.length), id);
    }
  }

  /**
   * Id of the longest piece at `word[from]`, which goes no further than `to`.
   *
   * @returns -1 where there is none.
   */
  longest(root: number, word: Uint16Array, from: number, to: number): number {
    let node = root;
    let token = NO_TOKEN;
    for (let at = from; at < to; at += 1) {
      node = this.#childOf(node, word[at] ?? 0);
      if (node === 0) break;
      const found = this.#tokenOf[node] ?? NO_TOKEN;
      if (found === NO_TOKEN) continue;
      token = found;
      this.end = at + 1;
    }
    return token;
  }

  #childOf(parent: number, unit: number): number {
    const mask = this.#children.length - 1;
    for (let slot = hashOf(parent, unit) & mask; ; slot = (slot + 1) & mask) {
      const child = this.#children[slot] ?? 0;
      if (child === 0 || (this.#parentOf[child] === parent && this.#unitOf[child] === unit)) return child;
    }
  }

  #add(root: number, piece: string, id: number): void {
    let node = root;
    for (let at = 0; at < piece.length; at += 1) {
      const unit = piece.charCodeAt(at);
      node = this.#childOf(node, unit) || this.#addChild(node, unit);
    }
    if (node !== root) this.#tokenOf[node] = id;
  }

  #addChild(parent: number, unit: number): number {
    const child = this.#nodes;
    if (child === this.#tokenOf.length) this.#grow();
    this.#nodes += 1;
    this.#parentOf[child] = parent;
    this.#unitOf[child] = unit;
    this.#link(child);
    return child;
  }

  #link(child: number): void {
    const mask = this.#children.length - 1;
    let slot = hashOf(this.#parentOf[child] ?? 0, this.#unitOf[child] ?? 0) & mask;
    while (this.#children[slot] !== 0) slot = (slot + 1) & mask;
    this.#children[slot] = child;
  }

  #grow(): void {
    const nodes = this.#tokenOf.length;
    const [tokenOf, parentOf, unitOf] = [this.#tokenOf, this.#parentOf, this.#unitOf];
    this.#tokenOf = new Int32Array(nodes * 2).fill(NO_TOKEN);
    this.#parentOf = new Int32Array(nodes * 2);
    this.#unitOf = new Uint16Array(nodes * 2);
    this.#tokenOf.set(tokenOf);
    this.#parentOf.set(parentOf);
    this.#unitOf.set(unitOf);
    this.#children = new Int32Array(nodes * 4);
    for (let child = 2; child < this.#nodes; child += 1) this.#link(child);
  }
}

const MIN_NODES = 1 << 10;
const NO_TOKEN = -1;

// Two odd constants, and the high bits brought down: neighbours in Unicode must not be neighbours here.
function hashOf(parent: number, unit: number): number {
  const mixed = Math.imul(parent, 0x9e3779b1) ^ Math.imul(unit + 1, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
