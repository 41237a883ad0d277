import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ThreadCalls } from '@embedfarm/engine/thread/thread-call';
import { endProcess } from '../end-process.ts';
import type { ClientOptions } from './client-process.ts';
import type { DeviceWorkerOptions } from './device-worker-process.ts';
import type { TimedWorkerOptions } from './timed-worker-process.ts';
import { processCalls } from '../process-calls.ts';

/** The entries, and what each is started with. */
export interface ProcessOptions {
  'timed-worker': TimedWorkerOptions;
  'device-worker': DeviceWorkerOptions;
  client: ClientOptions;
}

/** What a worker tells unasked of each chunk, named by its first text: its device has begun it, ended it, failed it. */
export interface Note {
  readonly note: 'begin' | 'end' | 'fail';
  readonly chunk: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

// Conversion of the embedded model is the longest.
const ANSWER_TIMEOUT_MS = 120_000;
const EXIT_TIMEOUT_MS = 20_000;
// By the built file, from src/ as well as from dist/: Node 20 runs no TypeScript.
const builtFile = (name: string): URL => new URL(`../../dist/failure/${name}.js`, import.meta.url);

/** A process that is there to be killed, stopped, stalled. */
export class FailureProcess {
  readonly #child: ChildProcess;
  readonly #calls: ThreadCalls;
  readonly #exit: Promise<Exit>;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.#calls = processCalls(child, name);
  }

  /** @param clockAheadMs by how much its wall clock is ahead. */
  static async open<Name extends keyof ProcessOptions>(
    name: Name,
    options: ProcessOptions[Name],
    { clockAheadMs = 0, onNote }: { clockAheadMs?: number; onNote?: (note: Note) => void } = {},
  ): Promise<FailureProcess> {
    const child = fork(fileURLToPath(builtFile(`${name}-process`)), [JSON.stringify(options)], {
      execArgv: clockAheadMs === 0 ? [] : ['--import', builtFile('clock-ahead').href],
      env: { ...process.env, EMBEDFARM_CLOCK_AHEAD_MS: String(clockAheadMs) },
      // Our stdout is for the result.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    child.on('message', (message: object) => {
      if ('note' in message) onNote?.(message as Note);
    });
    const opened = new FailureProcess(child, name);
    try {
      await opened.call({ kind: 'ready' });
      return opened;
    } catch (thrown) {
      await opened.close();
      throw thrown;
    }
  }

  /** Settles when it has ended, however it did. */
  get exited(): Promise<Exit> {
    return this.#exit;
  }

  /** @throws FarmError what it failed with; `device_lost` when it ended. */
  call<Answer>(request: { kind: string } & Record<string, unknown>): Promise<Answer> {
    return this.#calls.call(request, { timeoutMs: ANSWER_TIMEOUT_MS });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal);
    return await this.#exit;
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    await endProcess(this.#child, EXIT_TIMEOUT_MS);
  }
}
