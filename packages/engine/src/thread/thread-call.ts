import { FarmError, parseFarmErrorCode } from '@embedfarm/contract/farm-error';
import type { Transferable } from 'node:worker_threads';

/** A MessagePort, or a Worker, which ends with `exit` instead of `close`. */
export interface CallPort {
  postMessage(value: unknown, transfer: readonly Transferable[]): void;
  on(event: string, listener: (value: unknown) => void): unknown;
}

/** Answer of a handler: a value, and what of it moves instead of being copied. */
export interface Answer<Value = unknown> {
  readonly value: Value;
  readonly transfer?: readonly Transferable[];
}

interface CallMessage {
  readonly call: number;
  readonly request: unknown;
}
type AnswerMessage =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: { readonly code: string; readonly message: string } };

interface OpenCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: FarmError) => void;
  readonly deadline: NodeJS.Timeout;
}

/**
 * Request and response over a port. A call that the other side cannot answer any more rejects with
 * `device_lost`, and so does every later one.
 */
export class ThreadCalls {
  readonly #port: CallPort;
  readonly #name: string;
  readonly #open = new Map<number, OpenCall>();
  #lastCall = 0;
  #lost: FarmError | undefined;

  /** `name` stands in messages. */
  constructor(port: CallPort, name: string) {
    this.#port = port;
    this.#name = name;
    port.on('message', (message) => this.#settle(message as AnswerMessage));
    port.on('messageerror', (cause) => this.fail('sent an answer that cannot be read', cause));
    port.on('error', (cause) => this.fail('died', cause));
    port.on('exit', () => this.fail('ended'));
    port.on('close', () => this.fail('closed its port'));
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  get openCalls(): number {
    return this.#open.size;
  }

  call<Value>(
    request: unknown,
    options: { timeoutMs: number; transfer?: readonly Transferable[] },
  ): Promise<Value> {
    if (this.#lost) return Promise.reject(this.#lost);
    const call = (this.#lastCall += 1);
    return new Promise<Value>((resolve, reject) => {
      const deadline = setTimeout(
        () => this.fail(`gave no answer in ${options.timeoutMs} ms`),
        options.timeoutMs,
      );
      this.#open.set(call, { resolve: resolve as (value: unknown) => void, reject, deadline });
      this.#port.postMessage({ call, request } satisfies CallMessage, options.transfer ?? []);
    });
  }

  /** The other side is taken for lost: every open call rejects. */
  fail(what: string, cause?: unknown): void {
    if (this.#lost) return;
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    this.#lost = new FarmError('device_lost', `${this.#name} ${what}${reason}`, { cause });
    for (const { reject, deadline } of this.#open.values()) {
      clearTimeout(deadline);
      reject(this.#lost);
    }
    this.#open.clear();
  }

  #settle(message: AnswerMessage): void {
    const open = this.#open.get(message.call);
    if (!open) return;
    this.#open.delete(message.call);
    clearTimeout(open.deadline);
    if ('error' in message) {
      open.reject(new FarmError(parseFarmErrorCode(message.error.code), message.error.message));
    } else {
      open.resolve(message.value);
    }
  }
}

/** The other side: answers every call with what `handle` gives. Calls are handled one after the other. */
export function answerCalls(port: CallPort, handle: (request: unknown) => Promise<Answer>): void {
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message) => {
    const { call, request } = message as CallMessage;
    last = last.then(async () => {
      try {
        const { value, transfer } = await handle(request);
        port.postMessage({ call, value } satisfies AnswerMessage, transfer ?? []);
      } catch (thrown) {
        const { code, detail } = FarmError.from(thrown);
        port.postMessage({ call, error: { code, message: detail } } satisfies AnswerMessage, []);
      }
    });
  });
}
