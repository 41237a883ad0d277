import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ThreadCalls } from '@embedfarm/engine/thread/thread-call';
import type { ClientProcessOptions } from './client-process.ts';
import type { EngineProcessOptions } from './engine-process.ts';
import type { MeasureCalls } from './load-runner.ts';
import type { WorkerProcessOptions } from './worker-process.ts';

/** The entries, and what each is started with. */
export interface ProcessOptions {
  engine: EngineProcessOptions;
  worker: WorkerProcessOptions;
  client: ClientProcessOptions;
}

// The longest is one call of 2,048 texts with a large model on a slow machine.
const ANSWER_TIMEOUT_MS = 900_000;
// A worker gives its jobs back and ends its device threads.
const EXIT_TIMEOUT_MS = 30_000;

/** A process that the bench starts, measures and ends. */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #calls: ThreadCalls;
  #closing: Promise<void> | undefined;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#calls = new ThreadCalls(
      {
        postMessage: (message) => child.send(message as object),
        on: (event, listener) => child.on(event, listener),
      },
      `the ${name} process`,
    );
  }

  /** @throws FarmError what it failed to open with; `device_lost` when it ended. Abort kills it. */
  static async open<Name extends keyof ProcessOptions>(
    name: Name,
    options: ProcessOptions[Name],
    signal: AbortSignal,
  ): Promise<MeasuredProcess> {
    // The built file, from src/ as well as from dist/: Node 20 runs no TypeScript.
    const file = fileURLToPath(new URL(`../dist/${name}-process.js`, import.meta.url));
    const child = fork(file, [JSON.stringify(options)], {
      execArgv: [],
      // Our stdout is for the result.
      stdio: ['ignore', 2, 2, 'ipc'],
      signal,
      killSignal: 'SIGKILL',
    });
    const opened = new MeasuredProcess(child, name);
    try {
      await opened.call('ready', {});
      return opened;
    } catch (thrown) {
      await opened.close();
      throw thrown;
    }
  }

  /** @throws FarmError what it failed with; `device_lost` when it ended. */
  call<Kind extends keyof MeasureCalls>(
    kind: Kind,
    request: MeasureCalls[Kind]['request'],
  ): Promise<MeasureCalls[Kind]['answer']> {
    return this.#calls.call({ kind, ...request }, { timeoutMs: ANSWER_TIMEOUT_MS });
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit').catch(() => undefined);
    child.kill('SIGTERM');
    const forced = setTimeout(() => child.kill('SIGKILL'), EXIT_TIMEOUT_MS);
    await exit;
    clearTimeout(forced);
  }
}
