import { Push, Subscriber } from 'zeromq';

/** A result as BertClient reads it: frames 2 and 3, and the number in the last. */
export interface TestResult {
  readonly requestId: number;
  readonly frames: readonly Buffer[];
  readonly header: {
    readonly dtype: string;
    readonly shape: number[];
    readonly tokens: '' | string[][];
    readonly error?: { readonly code: string; readonly message: string };
  };
  readonly values: Float32Array;
}

export interface BertTestClientOptions {
  readonly identity?: string;
  /** Subscribes at once, as BertClient does. */
  readonly listens?: boolean;
  /** Whether ZeroMQ takes results before somebody asks for them. */
  readonly readsAhead?: boolean;
}

const LIMIT_MS = 30_000;

/** The sockets of BertClient 1.10.0, and its frames, without its checks. */
export class BertTestClient {
  readonly identity: string;
  readonly #sender: Push;
  readonly #receiver: Subscriber;
  readonly #early = new Map<number, TestResult>();
  #requests = 0;

  constructor(
    { portIn, portOut }: { portIn: number; portOut: number },
    { identity = crypto.randomUUID(), listens = true, readsAhead = true }: BertTestClientOptions = {},
  ) {
    this.identity = identity;
    this.#sender = new Push({ linger: 0 });
    this.#sender.connect(`tcp://127.0.0.1:${portIn}`);
    this.#receiver = new Subscriber({
      linger: 0,
      receiveTimeout: LIMIT_MS,
      ...(readsAhead ? {} : { receiveHighWaterMark: 1, receiveBufferSize: 65_536 }),
    });
    this.#receiver.connect(`tcp://127.0.0.1:${portOut}`);
    if (listens) this.listen();
  }

  listen(): void {
    this.#receiver.subscribe(Buffer.from(this.identity, 'latin1'));
  }

  /** Any frames at all. */
  async sendFrames(frames: (Buffer | string)[]): Promise<void> {
    await this.#sender.send(frames);
  }

  /** @returns the request's id. */
  async send(texts: unknown, rows = Array.isArray(texts) ? texts.length : 0): Promise<number> {
    this.#requests += 1;
    const body = Buffer.isBuffer(texts) ? texts : JSON.stringify(texts);
    await this.sendFrames([Buffer.from(this.identity, 'latin1'), body, String(this.#requests), String(rows)]);
    return this.#requests;
  }

  async encode(texts: unknown): Promise<TestResult> {
    return await this.receive(await this.send(texts));
  }

  /** SHOW_CONFIG or SHOW_STATUS. */
  async ask(command: string): Promise<Record<string, unknown>> {
    const { frames } = await this.receive(await this.send(Buffer.from(command), 0));
    if (frames.length !== 3) throw new Error(`${frames.length} frames, an answer has 3`);
    return JSON.parse(String(frames[1])) as Record<string, unknown>;
  }

  /** The result of a request, or the next one. @throws Error after 30 s. */
  async receive(requestId?: number): Promise<TestResult> {
    for (;;) {
      const early = requestId === undefined ? undefined : this.#early.get(requestId);
      if (early) {
        this.#early.delete(early.requestId);
        return early;
      }
      const result = readResult(await this.#receiver.receive());
      if (requestId === undefined || result.requestId === requestId) return result;
      this.#early.set(result.requestId, result);
    }
  }

  close(): void {
    this.#sender.close();
    this.#receiver.close();
  }
}

function readResult(frames: readonly Buffer[]): TestResult {
  const values = frames.length === 4 ? (frames[2] ?? Buffer.alloc(0)) : Buffer.alloc(0);
  const copy = new Uint8Array(values);
  return {
    requestId: Number(String(frames.at(-1))),
    frames,
    header: JSON.parse(String(frames[1])) as TestResult['header'],
    values: new Float32Array(copy.buffer),
  };
}
