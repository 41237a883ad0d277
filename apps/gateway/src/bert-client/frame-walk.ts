/** What may come over one connection. */
export interface FrameLimits {
  /** Of a message, all its frames together. */
  readonly maxMessageBytes: number;
  /** Most subscriptions of a connection; undefined where it sends requests. */
  readonly maxSubscriptions?: number | undefined;
}

/** A request has 4, a subscription 1; what has more is let through to be counted, but not without end. */
const MAX_FRAMES = 16;
/** READY names a socket's type and identity; PING has a few bytes. */
const MAX_COMMAND_BYTES = 8_192;
/** Names of commands that a subscriber may repeat: PING and PONG have 4 bytes. SUBSCRIBE has 9, CANCEL 6. */
const MAX_HEARTBEAT_NAME_BYTES = 4;

const GREETING_BYTES = 64;
const GREETING_START = 0xff;
const GREETING_MARK = 0x7f;
const MECHANISM_NULL = Buffer.from('NULL'.padEnd(20, '\0'), 'latin1');

const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const RESERVED = 0xf8;
const LONG_HEADER_BYTES = 9;
const SHORT_HEADER_BYTES = 2;

/**
 * Walks over what a peer sends in ZMTP 3, from frame to frame, and keeps nothing of it. libzmq bounds a frame, but
 * neither a message of endless frames nor the number of subscriptions, so that one peer could take all memory.
 *
 * Source: https://rfc.zeromq.org/spec/23/
 */
export class FrameWalk {
  readonly #limits: FrameLimits;
  /** Of the greeting, or of the frame's header. */
  readonly #head = Buffer.alloc(GREETING_BYTES);
  #headBytes = 0;
  #isGreeted = false;
  /** Bytes of the frame that are to come. */
  #bodyLeft = 0;
  /** The next byte is the first of a subscriber's command. */
  #awaitsName = false;
  #frames = 0;
  /** Of the message's frames that have begun. */
  #messageBytes = 0;
  #isLastFrame = false;
  #subscriptions = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** Bytes so far of a message that is not complete. */
  get openBytes(): number {
    return this.#messageBytes === 0 ? 0 : this.#messageBytes - this.#bodyLeft;
  }

  /** @returns what is wrong with it; nothing more is to be pushed then. */
  push(chunk: Buffer): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        if (this.#awaitsName) this.#noteCommand(chunk[at] ?? 0);
        const step = Math.min(this.#bodyLeft, chunk.length - at);
        at += step;
        this.#bodyLeft -= step;
        if (this.#bodyLeft === 0) this.#endFrame();
        continue;
      }
      at += this.#readHead(chunk, at);
      if (this.#headBytes < this.#headWanted()) continue;
      const fault = this.#isGreeted ? this.#beginFrame() : this.#greet();
      if (fault !== undefined) return fault;
      this.#headBytes = 0;
    }
    return this.#subscriptions > (this.#limits.maxSubscriptions ?? Infinity)
      ? `more than ${this.#limits.maxSubscriptions} subscriptions`
      : undefined;
  }

  #readHead(chunk: Buffer, at: number): number {
    // The first byte says how long a header is.
    const wanted = this.#isGreeted && this.#headBytes === 0 ? 1 : this.#headWanted() - this.#headBytes;
    const step = Math.min(wanted, chunk.length - at);
    chunk.copy(this.#head, this.#headBytes, at, at + step);
    this.#headBytes += step;
    return step;
  }

  #headWanted(): number {
    if (!this.#isGreeted) return GREETING_BYTES;
    const flags = this.#head[0] ?? 0;
    return this.#headBytes > 0 && (flags & LONG) === 0 ? SHORT_HEADER_BYTES : LONG_HEADER_BYTES;
  }

  #greet(): string | undefined {
    const head = this.#head;
    if (head[0] !== GREETING_START || head[9] !== GREETING_MARK) return 'no greeting of ZeroMQ';
    if ((head[10] ?? 0) < 3) return `ZMTP ${head[10]}, 3 or later is spoken here`;
    if (!head.subarray(12, 32).equals(MECHANISM_NULL)) return 'a security mechanism other than NULL';
    this.#isGreeted = true;
    return undefined;
  }

  #beginFrame(): string | undefined {
    const flags = this.#head[0] ?? 0;
    const isLong = (flags & LONG) !== 0;
    const bytes = isLong ? Number(this.#head.readBigUInt64BE(1)) : (this.#head[1] ?? 0);
    if ((flags & RESERVED) !== 0) return `reserved flags in a frame: ${flags}`;
    if ((flags & COMMAND) !== 0) return this.#beginCommand(flags, bytes);
    this.#frames += 1;
    this.#messageBytes += bytes;
    if (this.#frames > MAX_FRAMES) return `a message of more than ${MAX_FRAMES} frames`;
    if (this.#messageBytes > this.#limits.maxMessageBytes) {
      return `a message of ${this.#messageBytes} bytes, limit is ${this.#limits.maxMessageBytes}`;
    }
    this.#bodyLeft = bytes;
    this.#isLastFrame = (flags & MORE) === 0;
    if (bytes === 0) this.#endFrame();
    return undefined;
  }

  #endFrame(): void {
    if (!this.#isLastFrame) return;
    this.#isLastFrame = false;
    this.#subscriptions += 1;
    this.#frames = 0;
    this.#messageBytes = 0;
  }

  #beginCommand(flags: number, bytes: number): string | undefined {
    if ((flags & MORE) !== 0) return 'a command in parts';
    if (bytes > MAX_COMMAND_BYTES) return `a command of ${bytes} bytes, limit is ${MAX_COMMAND_BYTES}`;
    this.#bodyLeft = bytes;
    this.#awaitsName = bytes > 0;
    return undefined;
  }

  #noteCommand(nameBytes: number): void {
    this.#awaitsName = false;
    if (nameBytes > MAX_HEARTBEAT_NAME_BYTES) this.#subscriptions += 1;
  }
}
