import { FarmError } from '@embedfarm/contract';
import type { Logger } from '@embedfarm/service/logger';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { DoorCounters } from './door-counters.ts';
import { FrameWalk, type FrameLimits } from './frame-walk.ts';
import { QuietLog } from './quiet-log.ts';

export interface FrameGuardOptions extends FrameLimits {
  readonly host: string;
  readonly port: number;
  /** Port on this machine that libzmq listens on. */
  readonly innerPort: number;
  readonly maxConnections: number;
  /** Of messages that are not complete, over all connections. Beyond it the longest of them is cut. */
  readonly maxOpenBytes: number;
  readonly counters: DoorCounters;
  readonly logger: Logger | undefined;
}

/** A peer that is gone without a word is noticed some minutes after this. */
const KEEP_ALIVE_MS = 60_000;

interface Passage {
  readonly outer: Socket;
  readonly walk: FrameWalk;
}

/** A port before libzmq's: bytes go through as they are, and a connection over which too much comes is cut. */
export class FrameGuard {
  readonly #options: FrameGuardOptions;
  readonly #server: Server;
  readonly #passages = new Set<Passage>();
  readonly #log: QuietLog;
  #openBytes = 0;

  private constructor(options: FrameGuardOptions) {
    this.#options = options;
    this.#log = new QuietLog(options.logger);
    this.#server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      (outer) => this.#pass(outer),
    );
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('drop', () => this.#cut(`more than ${options.maxConnections} connections`));
  }

  /** @throws FarmError `invalid_argument` when the port is taken or the address is not this machine's. */
  static async open(options: FrameGuardOptions): Promise<FrameGuard> {
    const guard = new FrameGuard(options);
    const { host, port } = options;
    await new Promise<void>((resolve, reject) => {
      guard.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const fault = cause.code === 'EADDRINUSE' ? 'the port is taken' : cause.message;
        reject(new FarmError('invalid_argument', `cannot listen on ${host}:${port}: ${fault}`, { cause }));
      });
      guard.#server.listen({ port, host, backlog: 1_024 }, resolve);
    });
    return guard;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#passages.size;
  }

  /** Lets nobody in any more; who is in stays. */
  shut(): void {
    this.#server.close();
  }

  /**
   * Waits until libzmq, whose socket is closed, has ended all connections, then ends those that are left. Safe to call
   * twice.
   */
  async close({ withinMs }: { withinMs: number }): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const late = setTimeout(() => {
      for (const { outer } of this.#passages) outer.destroy();
    }, withinMs);
    await closed;
    clearTimeout(late);
  }

  #pass(outer: Socket): void {
    const inner = connect({ port: this.#options.innerPort, host: '127.0.0.1', noDelay: true });
    const passage: Passage = { outer, walk: new FrameWalk(this.#options) };
    this.#passages.add(passage);
    outer.on('data', (chunk: Buffer) => {
      if (outer.destroyed) return;
      const before = passage.walk.openBytes;
      const fault = passage.walk.push(chunk);
      if (fault !== undefined) {
        this.#cut(fault);
        outer.destroy();
        return;
      }
      if (!inner.write(chunk)) outer.pause();
      this.#openBytes += passage.walk.openBytes - before;
      this.#keepRoom();
    });
    inner.on('drain', () => outer.resume());
    inner.pipe(outer);
    // A broken connection says so in its 'close'.
    outer.on('error', ignore);
    inner.on('error', ignore);
    outer.on('close', () => {
      if (!this.#passages.delete(passage)) return;
      this.#openBytes -= passage.walk.openBytes;
      // What is whole still arrives.
      inner.end();
      inner.resume();
    });
    inner.on('close', () => outer.destroySoon());
  }

  #keepRoom(): void {
    if (this.#openBytes <= this.#options.maxOpenBytes) return;
    let longest: Passage | undefined;
    for (const passage of this.#passages) {
      if (passage.walk.openBytes > (longest?.walk.openBytes ?? 0)) longest = passage;
    }
    this.#cut(`messages that do not end hold ${this.#openBytes} bytes, the longest was cut`);
    longest?.outer.destroy();
  }

  #cut(fault: string): void {
    this.#options.counters.cut += 1;
    this.#log.warn(`bert client: a connection was cut: ${fault}`);
  }
}

function ignore(): void {
  // Nothing to do.
}
