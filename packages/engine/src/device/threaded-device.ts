import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FarmError } from '@embedfarm/contract';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import { ThreadCalls } from '../thread/thread-call.ts';
import type { DeviceRequest } from './device-thread.ts';
import type { Device } from './device.ts';
import type { OnnxDeviceOptions } from './onnx-device-options.ts';

// The built file, from src/ as well as from dist/: Node 20 runs no TypeScript.
const THREAD_FILE = new URL('../../dist/device/device-thread.js', import.meta.url);

// Loading a large model from a cold disk takes a minute at most.
const OPEN_TIMEOUT_MS = 300_000;
// One batch takes well under a second; a slow core in a long queue takes some more.
const ENCODE_TIMEOUT_MS = 300_000;
const EXIT_TIMEOUT_MS = 10_000;

// A batch's objects are few and its numbers lie outside of the heap; Node's own 48 MiB cost each thread 10 MB.
const YOUNG_GENERATION_MIB = 4;

/** An OnnxDevice in a thread of its own. */
export class ThreadedDevice implements Device {
  readonly name: string;
  readonly dimensions: number;
  readonly #worker: Worker;
  readonly #calls: ThreadCalls;
  readonly #exit: Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(options: OnnxDeviceOptions) {
    this.name = options.name;
    this.dimensions = options.dimensions;
    // execArgv: the loaders of a test runner are none of the thread's business.
    this.#worker = new Worker(THREAD_FILE, {
      workerData: options,
      name: options.name,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    this.#calls = new ThreadCalls(this.#worker, `device thread ${options.name}`);
    this.#exit = exitOf(this.#worker);
  }

  /** @throws FarmError what OnnxDevice.open throws, `device_lost` when the thread dies on it. */
  static async open(options: OnnxDeviceOptions): Promise<ThreadedDevice> {
    const device = new ThreadedDevice(options);
    try {
      await device.#call({ kind: 'open' }, OPEN_TIMEOUT_MS);
      return device;
    } catch (error) {
      await device.close();
      throw error;
    }
  }

  encode(batch: SequenceBatch): Promise<Float32Array> {
    if (this.#closing) return Promise.reject(new FarmError('device_lost', `${this.name} is closed`));
    return this.#call({ kind: 'encode', ...batch }, ENCODE_TIMEOUT_MS);
  }

  #call<Value>(request: DeviceRequest, timeoutMs: number): Promise<Value> {
    return this.#calls.call<Value>(request, { timeoutMs });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  // The runtime aborts the whole process when its thread is terminated during a run, so the thread is
  // asked to end: calls are answered in order, the batches in flight come first.
  async #end(): Promise<void> {
    await this.#call({ kind: 'close' }, ENCODE_TIMEOUT_MS).catch(() => undefined);
    if (await this.#exits()) return;
    // One that never answered may be running still; one that did has nothing to run.
    if (this.#calls.isLost) this.#worker.unref();
    else await this.#worker.terminate();
  }

  /** Whether the thread ended by itself in time. */
  async #exits(): Promise<boolean> {
    const deadline = new AbortController();
    const late = sleep(EXIT_TIMEOUT_MS, false, { signal: deadline.signal }).catch(() => false);
    const exits = await Promise.race([this.#exit.then(() => true), late]);
    deadline.abort();
    return exits;
  }
}

function exitOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once('exit', () => resolve()));
}
