import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A text whose run kills its process. */
export const KILLER = 'kill me';
/** A text whose run keeps the event loop busy, until the process's stdin ends. */
export const BLOCKER = 'block me';

export interface WorkerProcessOptions {
  readonly redis: string;
  /** Chunks that must be in the engine before the first one ends. */
  readonly company?: number;
  /** What the host's clock is ahead, in ms. */
  readonly clockAheadMs?: number;
  /** Fails its first chunk with `device_lost`, and closes at the same moment. */
  readonly failsAndCloses?: boolean;
}

/** Short, so that a death costs a test little. */
const LOCK = { lockDurationMs: 500, stalledIntervalMs: 100 };

const built = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

const SCRIPT = `
  const { FarmWorker } = await import(${built('../dist/worker/farm-worker.js')});
  const { FakeEncoder, fakeRegistration } = await import(${built('../../testkit/dist/fake-encoder.js')});
  const { FarmError } = await import(${built('../../contract/dist/farm-error.js')});
  const { redis, company = 0, failsAndCloses = false } = JSON.parse(process.argv[1]);
  const print = (line) => process.stdout.write(line + '\\n');
  class DeadlyEncoder extends FakeEncoder {
    async encode(texts, options, call) {
      const block = await super.encode(texts, options, call);
      await this.arrived(company);
      if (failsAndCloses) {
        void worker.close();
        throw new FarmError('device_lost', 'the thread died');
      }
      if (texts.includes('${KILLER}')) process.kill(process.pid, 'SIGKILL');
      if (texts.includes('${BLOCKER}')) {
        const { readSync, writeSync } = await import('node:fs');
        writeSync(1, 'blocks\\n');
        readSync(0, Buffer.alloc(1));
        print('goes on');
      }
      return block;
    }
  }
  const worker = await FarmWorker.open(fakeRegistration(), new DeadlyEncoder(), { redis, ...${JSON.stringify(LOCK)} });
  print('ready ' + Date.now());`;

/** A worker in a process of its own. It prints `ready`, and `blocks` when it does. */
export function startWorkerProcess(options: WorkerProcessOptions): ChildProcess {
  return runWithClock(SCRIPT, options, options.clockAheadMs);
}

/** A process whose `Date` is ahead of this host's; `argument` is JSON in its `process.argv[1]`. */
export function runWithClock(script: string, argument: object, aheadMs = 0): ChildProcess {
  const clock = `
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...parts) {
        if (parts.length === 0) super(RealDate.now() + ${aheadMs});
        else super(...parts);
      }
      static now() {
        return RealDate.now() + ${aheadMs};
      }
    };`;
  return spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(clock)}`,
      '--input-type=module',
      '--eval',
      script,
      JSON.stringify(argument),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
}

/** Waits for a line, and gives all that came before and with it. */
export async function printed(child: ChildProcess, line: string): Promise<string> {
  let output = '';
  for await (const bytes of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    output += String(bytes);
    if (output.includes(line)) return output;
  }
  throw new Error(`the process ended with ${JSON.stringify(output)}`);
}

/** Ends a process as a crash does, and waits for its end. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/**
 * Starts a worker again whenever it has died, until the work is done.
 *
 * @returns how many died.
 */
export async function restartUntil(
  done: Promise<unknown>,
  start: (deaths: number) => ChildProcess,
): Promise<number> {
  const end = done.then(
    () => 'done',
    () => 'done',
  );
  for (let deaths = 0; ; deaths += 1) {
    const child = start(deaths);
    const exit = once(child, 'exit').then(() => 'died');
    if ((await Promise.race([end, exit])) === 'died') continue;
    await kill(child);
    return deaths;
  }
}
