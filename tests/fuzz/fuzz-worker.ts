import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Models that the process serves: strangers', and one whose queue is stopped while jobs are spoilt. */
export const MODEL = 'fake';
export const VICTIM = 'victim';

/** Short, so that what is lost is found soon. */
const OPTIONS = { lockDurationMs: 1_000, stalledIntervalMs: 300, heartbeatMs: 500 };

const built = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

const SCRIPT = `
  const { FarmWorker } = await import(${built('../../packages/farm/dist/worker/farm-worker.js')});
  const { FakeEncoder, fakeRegistration } = await import(${built('../../packages/testkit/dist/fake-encoder.js')});
  const [redis] = process.argv.slice(1);
  class FuzzEncoder extends FakeEncoder {
    async encode(texts, options, call) {
      // 0 to 15 ms, the same for the same texts.
      await new Promise((resolve) => setTimeout(resolve, String(texts[0]).length % 16));
      const block = await super.encode(texts, options, call);
      this.calls.length = 0;
      return block;
    }
  }
  const faults = new Map();
  const onFault = (what, fault) => {
    const name = what.replace(/(chunk|job) .*/, '$1 …') + ': ' + String(fault?.message ?? fault).replace(/[0-9a-f-]{8,}.*/s, '…').slice(0, 120);
    faults.set(name, (faults.get(name) ?? 0) + 1);
  };
  const workers = [];
  for (const model of ['${MODEL}', '${VICTIM}']) {
    const options = { redis, ...${JSON.stringify(OPTIONS)} };
    workers.push(await FarmWorker.open(fakeRegistration(model), new FuzzEncoder(), options, { onFault }));
  }
  // The end of who has started it.
  process.stdin.resume().on('close', () => process.exit(1));
  process.on('SIGTERM', async () => {
    await Promise.all(workers.map((worker) => worker.close({ graceMs: 2_000 })));
    process.stdout.write(JSON.stringify([...faults].sort((a, b) => b[1] - a[1]).slice(0, 30)) + '\\n', () => process.exit(0));
  });
  process.stdout.write('ready\\n');`;

/** A worker in a process of its own, which must outlive all that is done to its Redis. */
export class FuzzWorker {
  readonly #child: ChildProcess;
  #output = '';
  #errors = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', (bytes) => (this.#output += String(bytes)));
    child.stderr?.on('data', (bytes) => (this.#errors += String(bytes)));
  }

  static async open(redis: string): Promise<FuzzWorker> {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, redis], {
      stdio: 'pipe',
    });
    const worker = new FuzzWorker(child);
    while (!worker.#output.includes('ready')) {
      if (child.exitCode !== null) throw new Error(`the worker ended: ${worker.#errors}`);
      await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    }
    return worker;
  }

  /** What it ended with; undefined while it lives. */
  get death(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    return exitCode === null && signalCode === null
      ? undefined
      : `${exitCode ?? signalCode}: ${this.#errors}`;
  }

  /** Ends it where a run was cut short. Safe to call again. */
  async kill(): Promise<void> {
    if (this.death !== undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  /** @returns its faults that stopped nothing, with how often they came. */
  async close(): Promise<string> {
    if (this.death !== undefined) return this.death;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    const [code] = (await exit) as [number | null];
    clearTimeout(late);
    return code === 0 ? this.#output.replace('ready\n', '') : `it ended with ${code}: ${this.#errors}`;
  }
}
