import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FarmError } from '@embedfarm/contract';
import { endProcess } from '../end-process.ts';

const COMMAND = fileURLToPath(new URL('../../../cli/bin/embedfarm.js', import.meta.url));
const OPEN_TIMEOUT_MS = 30_000;
const EXIT_TIMEOUT_MS = 10_000;
/** Linux counts CPU time in these, whatever its own clock does. */
const TICKS_A_SECOND = 100;

/** The dashboard as people start it, and pages that look at it: each reads the stream of events, as a browser does. */
export class BoardProcess {
  readonly #child: ChildProcess;
  readonly #leave = new AbortController();
  #events = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @throws FarmError `internal` when it does not open. */
  static async open(
    { redis, viewers }: { redis: string; viewers: number },
    signal: AbortSignal,
  ): Promise<BoardProcess> {
    const child = spawn(process.execPath, [COMMAND, 'dashboard', '--redis', redis, '--port', '0'], {
      stdio: ['ignore', 'pipe', 2],
      env: { ...process.env, EMBEDFARM_LOG_LEVEL: 'warn' },
      signal,
      killSignal: 'SIGKILL',
    });
    // Its end is seen where it is waited for.
    child.on('error', () => undefined);
    const board = new BoardProcess(child);
    try {
      const url = await urlOf(child, signal);
      for (let viewer = 0; viewer < viewers; viewer += 1) await board.#look(url);
      return board;
    } catch (thrown) {
      await board.close();
      throw thrown;
    }
  }

  /** Since its start. */
  async cpuSeconds(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; user and system ticks are the 12th and 13th field behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  }

  /** Pieces of events that all viewers have had. */
  get events(): number {
    return this.#events;
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#leave.abort();
    await endProcess(this.#child, EXIT_TIMEOUT_MS);
  }

  async #look(url: string): Promise<void> {
    const response = await fetch(new URL('api/events', url), { signal: this.#leave.signal });
    if (!response.ok || response.body === null) {
      throw new FarmError('internal', `the dashboard answered ${response.status} to a viewer`);
    }
    void this.#read(response.body);
  }

  async #read(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const _piece of body) this.#events += 1;
    } catch {
      // Left, or the dashboard is gone: whoever counts events sees it.
    }
  }
}

async function urlOf({ stdout }: ChildProcess, signal: AbortSignal): Promise<string> {
  if (stdout === null) throw new FarmError('internal', 'the dashboard has no output');
  const lines = createInterface({ input: stdout });
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]);
  const close = (): void => lines.close();
  timeout.addEventListener('abort', close, { once: true });
  try {
    for await (const line of lines) {
      const [url] = /https?:\/\/\S+/.exec(line) ?? [];
      if (url !== undefined) return url;
    }
  } finally {
    timeout.removeEventListener('abort', close);
    // What it says later is not for us, and must not fill its pipe.
    stdout.resume();
  }
  throw new FarmError('internal', 'the dashboard did not say where it is');
}
