/** Reads bytes from front to back. Every method throws RangeError where the bytes end or make no sense. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError(`the bytes end at ${this.#at}`);
    this.#at += 1;
    return byte;
  }

  /** Seven bits a byte, low ones first; the top bit says that more follow. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return inSafeRange(value);
    }
    throw new RangeError(`a number at ${this.#at} has more than 10 bytes`);
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      throw new RangeError(`${length} bytes at ${this.#at} go past the end at ${this.#bytes.length}`);
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function inSafeRange(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`${value} is too large`);
}
