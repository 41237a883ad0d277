import { fork, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ThreadCalls } from '@embedfarm/engine/thread/thread-call';
import { endProcess } from './end-process.ts';
import type { ClientProcessOptions } from './client-process.ts';
import type { EngineProcessOptions } from './engine-process.ts';
import type { ContenderCalls } from './engine/contender-calls.ts';
import type { OursProcessOptions } from './engine/ours-process.ts';
import type { PeakCalls } from './engine/peak-process.ts';
import type { RivalProcessOptions } from './engine/rival-process.ts';
import type { MeasureCalls } from './load-runner.ts';
import type { BareProcessOptions } from './queue/bare-process.ts';
import type { BareCalls } from './queue/bare-runner.ts';
import type { QueueClientOptions } from './queue/client-process.ts';
import type { QueueClientCalls } from './queue/client-runner.ts';
import type { DeviceProcessOptions } from './queue/device-process.ts';
import type { SweepClientOptions } from './sweep/client-process.ts';
import type { SweepClientCalls } from './sweep/client-runner.ts';
import type { SweepWorkerOptions } from './sweep/worker-process.ts';
import type { WorkerProcessOptions } from './worker-process.ts';
import { processCalls } from './process-calls.ts';

/** The entries, and what each is started with. */
export interface ProcessOptions {
  engine: EngineProcessOptions;
  worker: WorkerProcessOptions;
  client: ClientProcessOptions;
  'engine/ours': OursProcessOptions;
  'engine/rival': RivalProcessOptions;
  'engine/peak': object;
  'queue/device': DeviceProcessOptions;
  'queue/client': QueueClientOptions;
  'queue/bare': BareProcessOptions;
  'sweep/worker': SweepWorkerOptions;
  'sweep/client': SweepClientOptions;
}

/** What each can be asked. */
interface ProcessCalls {
  engine: MeasureCalls;
  worker: MeasureCalls;
  client: MeasureCalls;
  'engine/ours': ContenderCalls;
  'engine/rival': ContenderCalls;
  'engine/peak': PeakCalls;
  'queue/device': MeasureCalls;
  'queue/client': QueueClientCalls;
  'queue/bare': BareCalls;
  'sweep/worker': MeasureCalls;
  'sweep/client': SweepClientCalls;
}

type RequestOf<Call> = Call extends { request: infer Request extends object } ? Request : never;
type AnswerOf<Call> = Call extends { answer: infer Answer } ? Answer : never;

// The longest is one call of 2,048 texts with a large model on a slow machine.
const ANSWER_TIMEOUT_MS = 900_000;
// A worker gives its jobs back and ends its device threads.
const EXIT_TIMEOUT_MS = 30_000;

/** A process that the bench starts, measures and ends. */
export class MeasuredProcess<Asked extends object = MeasureCalls> {
  readonly #child: ChildProcess;
  readonly #calls: ThreadCalls;
  #closing: Promise<void> | undefined;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#calls = processCalls(child, name);
  }

  /**
   * @param root of another checkout, whose process it is to be.
   * @throws FarmError what it failed to open with; `device_lost` when it ended. Abort kills it.
   */
  static async open<Name extends keyof ProcessOptions>(
    name: Name,
    options: ProcessOptions[Name],
    signal: AbortSignal,
    root?: string,
  ): Promise<MeasuredProcess<ProcessCalls[Name]>> {
    // The built file, from src/ as well as from dist/: Node 20 runs no TypeScript.
    const dist =
      root === undefined
        ? fileURLToPath(new URL('../dist/', import.meta.url))
        : resolve(root, 'apps/bench/dist');
    const file = join(dist, `${name}-process.js`);
    const child = fork(file, [JSON.stringify(options)], {
      execArgv: [],
      // Our stdout is for the result.
      stdio: ['ignore', 2, 2, 'ipc'],
      signal,
      killSignal: 'SIGKILL',
    });
    const opened = new MeasuredProcess<ProcessCalls[Name]>(child, name);
    try {
      await opened.#ask({ kind: 'ready' });
      return opened;
    } catch (thrown) {
      await opened.close();
      throw thrown;
    }
  }

  /** @throws FarmError what it failed with; `device_lost` when it ended. */
  call<Kind extends keyof Asked & string>(
    kind: Kind,
    request: RequestOf<Asked[Kind]>,
  ): Promise<AnswerOf<Asked[Kind]>> {
    return this.#ask({ kind, ...request });
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #ask<Answer>(request: object): Promise<Answer> {
    return this.#calls.call(request, { timeoutMs: ANSWER_TIMEOUT_MS });
  }

  async #end(): Promise<void> {
    await endProcess(this.#child, EXIT_TIMEOUT_MS);
  }
}
