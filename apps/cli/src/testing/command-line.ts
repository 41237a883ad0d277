import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';

export const COMMAND = fileURLToPath(new URL('../../bin/embedfarm.js', import.meta.url));

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a person runs it, in a folder of its own and with a Redis of its own. */
export class CommandLine {
  readonly dir: string;
  readonly redis: TestRedis;
  readonly #running = new Set<ChildProcess>();

  private constructor(dir: string, redis: TestRedis) {
    this.dir = dir;
    this.redis = redis;
  }

  static async open(): Promise<CommandLine> {
    return new CommandLine(await mkdtemp(join(tmpdir(), 'embedfarm-cli-')), await openTestRedis());
  }

  start(args: readonly string[], variables: Record<string, string> = {}): ChildProcess {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('EMBEDFARM_'));
    const child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: this.dir,
      env: {
        ...Object.fromEntries(inherited),
        REDIS_URL: this.redis.url,
        EMBEDFARM_CACHE_DIR: join(this.dir, 'cache'),
        EMBEDFARM_DEVICES: 'cpu:1',
        ...variables,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  /** Runs it to its end. */
  async run(
    args: readonly string[],
    { input = '', variables = {} }: { input?: string | Uint8Array; variables?: Record<string, string> } = {},
  ): Promise<Outcome> {
    const child = this.start(args, variables);
    const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
    child.stdin?.end(input);
    await once(child, 'close');
    return { exitCode: child.exitCode, stdout: stdout(), stderr: stderr() };
  }

  async status(): Promise<{
    models: { model: string }[];
    workers: { pid: number; state: string }[];
    [part: string]: unknown;
  }> {
    return JSON.parse((await this.run(['status', '--json'])).stdout);
  }

  /** A worker that takes texts. */
  async startWorker(...args: readonly string[]): Promise<ChildProcess> {
    const worker = this.start(['worker', ...args]);
    await eventually(async () => (await this.status()).workers.some(({ pid }) => pid === worker.pid), {
      timeoutMs: 30_000,
      what: 'the worker in the farm',
    });
    return worker;
  }

  /** After a test: nothing runs. */
  async rest(): Promise<void> {
    await Promise.all([...this.#running].map(end));
  }

  async close(): Promise<void> {
    await this.rest();
    await this.redis.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Ends it as a person would. @returns its exit code. */
export async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  return child.exitCode;
}

/** All that was printed so far. */
export function gather(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
  return () => text;
}
