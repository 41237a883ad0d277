import { setTimeout as delay } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';

/** As the engine's SequenceBatch: ids of all rows, row after row, and the length of every row. */
export interface FakeBatch {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
}

export interface FakeDeviceOptions {
  readonly name?: string;
  readonly vocabularySize?: number;
  readonly maxSequenceLength?: number;
  /** Cost model: what a batch takes, and each of its tokens. */
  readonly msPerBatch?: number;
  readonly msPerToken?: number;
  /** Stands in for the timer that the cost is waited with. */
  readonly wait?: (ms: number) => Promise<unknown>;
  /** What a batch throws instead of giving rows. */
  readonly fault?: (batch: FakeBatch) => Error | undefined;
}

/**
 * A device without a model, for tests. Its rows can be checked by eye: `[length, sum of ids, first id,
 * last id]`. It keeps the promises of the engine's Device, and runs one batch at a time in the order given.
 *
 * `hold` makes batches wait for `release`, so that a test proves an order of events without sleeping.
 */
export class FakeDevice {
  readonly name: string;
  readonly dimensions = 4;
  /** Every batch that began, in order. */
  readonly batches: FakeBatch[] = [];
  readonly #options: FakeDeviceOptions;
  #isHeld = false;
  #releases: (() => void)[] = [];
  #watchers: { count: number; resolve: () => void }[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #lose: (error: FarmError) => void = () => undefined;
  #lost: Promise<never>;
  #isLost = false;
  #closing: Promise<void> | undefined;

  constructor(options: FakeDeviceOptions = {}) {
    this.#options = options;
    this.name = options.name ?? 'fake/0';
    this.#lost = new Promise<never>((_, reject) => {
      this.#lose = reject;
    });
    this.#lost.catch(() => undefined);
  }

  async encode(batch: FakeBatch): Promise<Float32Array> {
    if (this.#closing) throw new FarmError('device_lost', `${this.name} is closed`);
    const run = this.#last.then(() => this.#run(batch));
    this.#last = run.catch(() => undefined);
    return Promise.race([run, this.#lost]);
  }

  /** Batches that begin from now on wait until they are released. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Lets the batch that runs end. @throws Error where none runs: wait for it with `begun`. */
  release(): void {
    const release = this.#releases.shift();
    if (!release) throw new Error(`${this.name} runs no batch that waits for its release`);
    release();
  }

  /** Lets every batch end, now and later. */
  releaseAll(): void {
    this.#isHeld = false;
    for (const release of this.#releases.splice(0)) release();
  }

  /** Resolves when `count` batches have begun since the start. */
  begun(count: number): Promise<void> {
    if (this.batches.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }

  /** As if its thread had died: what runs, what waits and what comes rejects with `device_lost`. */
  lose(): void {
    this.#isLost = true;
    this.#lose(new FarmError('device_lost', `${this.name} died`));
    this.releaseAll();
  }

  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => undefined);
    return this.#closing;
  }

  async #run(batch: FakeBatch): Promise<Float32Array> {
    if (this.#isLost) throw new FarmError('device_lost', `${this.name} died`);
    this.batches.push(batch);
    this.#tellWatchers();
    if (this.#isHeld) await new Promise<void>((resolve) => this.#releases.push(resolve));
    await this.#cost(batch);
    this.#check(batch);
    const fault = this.#options.fault?.(batch);
    if (fault) throw fault;
    return rowsOf(batch, this.dimensions);
  }

  #tellWatchers(): void {
    const reached = this.#watchers.filter(({ count }) => this.batches.length >= count);
    this.#watchers = this.#watchers.filter(({ count }) => this.batches.length < count);
    for (const { resolve } of reached) resolve();
  }

  async #cost({ ids }: FakeBatch): Promise<void> {
    const { msPerBatch = 0, msPerToken = 0, wait = delay } = this.#options;
    const ms = msPerBatch + msPerToken * ids.length;
    if (ms > 0) await wait(ms);
  }

  #check({ ids, lengths }: FakeBatch): void {
    const { vocabularySize = 1_000_000, maxSequenceLength = 512 } = this.#options;
    const isSound =
      lengths.length > 0 &&
      lengths.every((length) => length >= 1 && length <= maxSequenceLength) &&
      lengths.reduce((sum, length) => sum + length, 0) === ids.length &&
      ids.every((id) => id >= 0 && id < vocabularySize);
    if (!isSound) throw new FarmError('invalid_argument', `${this.name}: ids or lengths out of bounds`);
  }
}

function rowsOf({ ids, lengths }: FakeBatch, dimensions: number): Float32Array {
  const rows = new Float32Array(lengths.length * dimensions);
  let start = 0;
  for (const [row, length] of lengths.entries()) {
    const sequence = ids.subarray(start, start + length);
    const sum = sequence.reduce((total, id) => total + id, 0);
    rows.set([length, sum, sequence[0] ?? 0, sequence.at(-1) ?? 0], row * dimensions);
    start += length;
  }
  return rows;
}
