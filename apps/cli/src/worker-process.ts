import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FarmError, type ModelRegistration } from '@embedfarm/contract';
import { parseStart } from './worker-start.ts';

const COMMAND = fileURLToPath(new URL('../bin/embedfarm.js', import.meta.url));

// A worker first makes its model, and waits for Redis if need be.
const READY_TIMEOUT_MS = 600_000;
// One that dies again and again is started less and less often.
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
// One that lived so long was well.
const HEALTHY_MS = 60_000;
// After its grace a worker still closes connections and threads.
const KILL_MARGIN_MS = 20_000;

export interface WorkerProcessOptions {
  /** `worker 1`, … */
  readonly title: string;
  /** Variables over this process's own. Secrets in a URL stay off the command line. */
  readonly variables: Readonly<Record<string, string>>;
  readonly print: (line: string) => void;
}

/** A worker in a process of its own, started again when it dies. */
export class WorkerProcess {
  readonly registration: ModelRegistration;
  readonly #options: WorkerProcessOptions;
  #child: ChildProcess;
  #startedAtMs = performance.now();
  #backoffMs = FIRST_BACKOFF_MS;
  #restart: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  private constructor(child: ChildProcess, registration: ModelRegistration, options: WorkerProcessOptions) {
    this.registration = registration;
    this.#options = options;
    this.#child = child;
    this.#startAgainWhenDead();
  }

  /**
   * Resolves when the worker takes texts.
   *
   * @throws FarmError with the worker's own reason, `internal` when it ends without one, `cancelled` on abort.
   */
  static async open(options: WorkerProcessOptions, signal: AbortSignal): Promise<WorkerProcess> {
    const child = spawnWorker(options.variables);
    try {
      return new WorkerProcess(child, await readyOf(child, options.title, signal), options);
    } catch (thrown) {
      await endChild(child, 0);
      throw thrown;
    }
  }

  /** Lets it drain. Safe to call twice. */
  close({ graceMs }: { graceMs: number }): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    clearTimeout(this.#restart);
    await endChild(this.#child, graceMs);
  }

  #startAgainWhenDead(): void {
    this.#child.once('exit', (code, signal) => {
      if (this.#closing !== undefined) return;
      const livedMs = performance.now() - this.#startedAtMs;
      if (livedMs >= HEALTHY_MS) this.#backoffMs = FIRST_BACKOFF_MS;
      const { title, print } = this.#options;
      print(`${title} ended (${signal ?? `exit ${code}`}); another one starts in ${this.#backoffMs} ms.`);
      this.#restart = setTimeout(() => this.#startAgain(), this.#backoffMs);
      this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    });
  }

  #startAgain(): void {
    this.#startedAtMs = performance.now();
    this.#child = spawnWorker(this.#options.variables);
    this.#startAgainWhenDead();
  }
}

/** In its own process group: Ctrl-C reaches the parent alone, which then lets its workers drain. */
function spawnWorker(variables: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [COMMAND, 'worker'], {
    env: { ...process.env, ...variables },
    // The channel tells us when it is ready, and tells it when we are gone.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
}

async function readyOf(child: ChildProcess, title: string, signal: AbortSignal): Promise<ModelRegistration> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  const listening = new AbortController();
  try {
    return await new Promise<ModelRegistration>((resolve, reject) => {
      const fail = () => {
        const fault = signal.aborted
          ? new FarmError('cancelled', `${title} was told to stop before it was ready`)
          : new FarmError('deadline_exceeded', `${title} was not ready after ${READY_TIMEOUT_MS} ms`);
        reject(fault);
      };
      if (over.aborted) fail();
      over.addEventListener('abort', fail, { signal: listening.signal });
      child.on('message', (message) => {
        const start = parseStart(message);
        if (start instanceof FarmError) reject(start);
        else if (start !== undefined) resolve(start);
      });
      child.once('error', (cause) => {
        reject(new FarmError('internal', `${title} cannot be started: ${cause.message}`, { cause }));
      });
      child.once('exit', (code, by) => {
        reject(new FarmError('internal', `${title} ended before it was ready (${by ?? `exit ${code}`})`));
      });
    });
  } finally {
    listening.abort();
    child.removeAllListeners('message');
  }
}

async function endChild(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), graceMs + KILL_MARGIN_MS);
  await exited;
  clearTimeout(forced);
}
