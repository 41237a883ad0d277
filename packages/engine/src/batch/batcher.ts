import { FarmError, type DeviceReport, type Lane } from '@embedfarm/contract';
import { LoneWays } from './lone-ways.ts';
import { MIN_SPLIT_TOKENS, splitBudget, type BatchLimits } from './plan-batch.ts';
import type { BatchEnd } from './batch-end.ts';
import type { BatchedCall } from './batched-call.ts';
import { divideBatch, type Retry } from './divide-batch.ts';
import { Seat, type Running, type SeatOptions } from './seat.ts';
import { joinSequences } from './sequence-batch.ts';
import { WaitingLine, type WaitingSequence } from './waiting-line.ts';

export interface BatcherOptions {
  readonly windowTexts: number;
  readonly graph: BatchLimits['graph'];
  /** Whether the devices give a row for every token; else one for every text. */
  readonly hasTokenRows?: boolean;
  /** All cores as one device, for what waits alone while they are idle. */
  readonly together?: SeatOptions;
  /** Clock in ms. */
  readonly now: () => number;
}

/**
 * While interactive texts come, at least once in this time, a batch of bulk is not made ready beside a running one: the
 * next of them would wait for both. Bulk waits for the hand-over between two batches instead, well under 1 ms.
 */
const INTERACTIVE_PAUSE_MS = 1_000;

/** Sums since the start. */
export interface BatchCounters {
  readonly batches: number;
  readonly texts: number;
  /** Real tokens. */
  readonly tokens: number;
  /** Attention slots, `rows × longest row`, real ones included. */
  readonly slotTokens: number;
  readonly deviceBusyMs: number;
  readonly devicesLost: number;
}

/**
 * Brings sequences of many calls to the devices. When a slot is free, everything that fits goes, without
 * waiting for company. The slots beside a running batch are filled only while all devices are busy, and
 * only with at least half a budget: a small batch that is taken early could have been a larger one.
 *
 * Where nothing runs and no more waits than one device takes, all cores may run it together. What comes
 * meanwhile goes to the devices at once.
 *
 * A batch that fails is divided until only the culprit fails; see divideBatch.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #seats: readonly Seat[];
  /** Until it is lost: it is a gain, and what waits for its return would be slower than on a core. */
  #together: Seat | undefined;
  readonly #ways = new LoneWays();
  readonly #line: WaitingLine<BatchedCall>;
  readonly #listeners = new Set<() => void>();
  readonly #batchListeners = new Set<(batch: BatchEnd) => void>();
  #retries: Retry[] = [];
  /** When interactive texts came last. */
  #interactiveMs = -Infinity;
  /** The batch that began while nothing ran, as long as it is alone. */
  #lone: Running | undefined;
  #counters: BatchCounters = {
    batches: 0,
    texts: 0,
    tokens: 0,
    slotTokens: 0,
    deviceBusyMs: 0,
    devicesLost: 0,
  };

  constructor(seats: readonly SeatOptions[], options: BatcherOptions) {
    this.#options = options;
    this.#seats = seats.map((seat) => new Seat(seat, options.now));
    this.#together = options.together && new Seat(options.together, options.now);
    this.#line = new WaitingLine(options.windowTexts);
  }

  get counters(): BatchCounters {
    return this.#counters;
  }

  get waitingTexts(): number {
    return this.#line.texts + this.#retries.reduce((sum, { sequences }) => sum + sequences.length, 0);
  }

  /** Estimated ms until everything in the line and on the devices is done. */
  get backlogMs(): number {
    let tokens = this.#line.tokens;
    for (const seat of this.#allSeats) tokens += seat.runningTokens;
    for (const { sequences } of this.#retries) tokens += tokensOf(sequences);
    return tokens / this.#seats.reduce((sum, { tokensPerMs }) => sum + tokensPerMs, 0);
  }

  get #allSeats(): readonly Seat[] {
    return this.#together ? [...this.#seats, this.#together] : this.#seats;
  }

  /** What all cores run together keeps each of them busy. */
  deviceReports(): DeviceReport[] {
    const { busyShare = 0 } = this.#together?.rates() ?? {};
    return this.#seats.map((seat) => {
      const report = seat.report();
      return { ...report, busyShare: Math.min(1, report.busyShare + busyShare) };
    });
  }

  throughput(): { textsPerSecond: number; tokensPerSecond: number } {
    const rates = this.#allSeats.map((seat) => seat.rates());
    return {
      textsPerSecond: rates.reduce((sum, rate) => sum + rate.textsPerSecond, 0),
      tokensPerSecond: rates.reduce((sum, rate) => sum + rate.tokensPerSecond, 0),
    };
  }

  /** Called after every batch and every cancel. @returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Told of every batch that has its rows. @returns what ends it. */
  onBatch(listener: (batch: BatchEnd) => void): () => void {
    this.#batchListeners.add(listener);
    return () => this.#batchListeners.delete(listener);
  }

  put(sequences: readonly WaitingSequence<BatchedCall>[], lane: Lane): void {
    this.#line.put(sequences, lane);
    if (lane === 'interactive' && sequences.length > 0) this.#interactiveMs = this.#options.now();
    this.#fillSlots();
  }

  /** The call's sequences leave the line; those on a device are finished there and forgotten. */
  remove(call: BatchedCall): void {
    this.#line.remove(call);
    this.#retries = this.#retries
      .map((retry) => ({ ...retry, sequences: retry.sequences.filter((sequence) => sequence.call !== call) }))
      .filter(({ sequences }) => sequences.length > 0);
    this.#changed();
  }

  #fillSlots(): void {
    for (let seat = this.#freeSeat(); seat; seat = this.#freeSeat()) {
      const retry = this.#retries.shift();
      const sequences = retry?.sequences ?? this.#line.take(this.#limits(seat));
      if (sequences.length === 0) return;
      void this.#run(seat, sequences, retry?.losses ?? 0);
    }
  }

  /**
   * What has been idle longest, a card before a core; where none is, what will be free first, if the line is
   * worth it.
   */
  #freeSeat(): Seat | undefined {
    const idle = this.#seats.filter((seat) => seat.isIdle);
    if (this.#together && this.#isLoneWork() && this.#ways.choose(this.#line.tokens) === 'together')
      return this.#together;
    const cards = idle.filter(({ provider }) => provider !== 'cpu');
    if (idle.length > 0) return earliest(cards.length > 0 ? cards : idle);
    // A retry runs alone: it must not take a stranger with it.
    if (this.#retries.length > 0) return undefined;
    const tokens = this.#tokensToMakeReady;
    return earliest(this.#seats.filter((seat) => seat.hasSlot && tokens * 2 >= seat.tokenBudget));
  }

  /** What counts for a batch beside a running one. */
  get #tokensToMakeReady(): number {
    const areInteractiveComing = this.#options.now() - this.#interactiveMs < INTERACTIVE_PAUSE_MS;
    return areInteractiveComing ? this.#line.tokensOf('interactive') : this.#line.tokens;
  }

  /** Nothing runs, and what waits would not be split. */
  #isLoneWork(): boolean {
    if (this.#retries.length > 0 || !this.#isIdle) return false;
    const { texts, tokens } = this.#line;
    return texts === 1 || (texts > 1 && tokens <= MIN_SPLIT_TOKENS);
  }

  get #isIdle(): boolean {
    return this.#allSeats.every((seat) => seat.isIdle);
  }

  #limits({ tokenBudget }: Seat): BatchLimits {
    const idle = this.#seats.filter((seat) => seat.isIdle).length;
    return {
      tokenBudget: splitBudget(tokenBudget, this.#line.tokens, idle),
      graph: this.#options.graph,
    };
  }

  async #run(seat: Seat, sequences: readonly WaitingSequence<BatchedCall>[], losses: number): Promise<void> {
    const batch = joinSequences(
      sequences.map(({ ids }) => ids),
      sequences,
    );
    const isLone = this.#isIdle;
    const running = seat.begin(batch.ids.length);
    this.#lone = isLone ? running : undefined;
    try {
      const rows = await seat.device.encode(batch);
      this.#deliver(seat, running, sequences, rows);
    } catch (error) {
      this.#divide(seat, running, sequences, losses, FarmError.from(error));
    }
    this.#fillSlots();
    this.#changed();
  }

  #deliver(
    seat: Seat,
    running: Running,
    sequences: readonly WaitingSequence<BatchedCall>[],
    rows: Float32Array,
  ): void {
    const { dimensions, name } = seat.device;
    const { hasTokenRows = false } = this.#options;
    const expected = hasTokenRows ? running.tokens : sequences.length;
    if (rows.length !== expected * dimensions) {
      throw new FarmError(
        'internal',
        `${name} gave ${rows.length} numbers for ${expected} rows of ${dimensions}`,
      );
    }
    const { beginMs, endMs } = seat.end(running, sequences.length);
    const isTogether = seat === this.#together;
    if (this.#together && running === this.#lone)
      this.#ways.note(running.tokens, isTogether ? 'together' : 'core', endMs - beginMs);
    let at = 0;
    for (const { call, index, ids } of sequences) {
      const size = (hasTokenRows ? ids.length : 1) * dimensions;
      call.batchRan(beginMs, endMs);
      call.putRow(index, rows.subarray(at, at + size));
      at += size;
    }
    const busy = isTogether ? this.#seats : [seat];
    this.#count({
      devices: busy.map(({ device }) => device.name),
      texts: sequences.length,
      tokens: running.tokens,
      slotTokens: sequences.length * longestOf(sequences),
      tokenBudget: seat.tokenBudget,
      durationMs: endMs - beginMs,
    });
  }

  #divide(
    seat: Seat,
    running: Running,
    sequences: readonly WaitingSequence<BatchedCall>[],
    losses: number,
    error: FarmError,
  ): void {
    const { beginMs, endMs } = seat.end(running, 0);
    if (error.code === 'out_of_memory' && sequences.length > 1) seat.halveBudget();
    if (error.code === 'device_lost' && !running.isBystander) {
      seat.excuseOthers(running);
      this.#counters = { ...this.#counters, devicesLost: this.#counters.devicesLost + 1 };
      if (seat === this.#together) this.#together = undefined;
    }
    const { again, failed } = divideBatch({ sequences, losses }, error, running.isBystander);
    for (const { call, index } of failed) {
      call.batchRan(beginMs, endMs);
      call.putFailure(index, error);
    }
    this.#retries.unshift(...again);
  }

  #count(batch: BatchEnd): void {
    this.#counters = {
      ...this.#counters,
      batches: this.#counters.batches + 1,
      texts: this.#counters.texts + batch.texts,
      tokens: this.#counters.tokens + batch.tokens,
      slotTokens: this.#counters.slotTokens + batch.slotTokens,
      deviceBusyMs: this.#counters.deviceBusyMs + batch.durationMs * batch.devices.length,
    };
    for (const listener of this.#batchListeners) listener(batch);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function earliest(seats: readonly Seat[]): Seat | undefined {
  return seats.toSorted((a, b) => a.sinceMs - b.sinceMs)[0];
}

function tokensOf(sequences: readonly WaitingSequence[]): number {
  return sequences.reduce((sum, { ids }) => sum + ids.length, 0);
}

function longestOf(sequences: readonly WaitingSequence[]): number {
  return sequences.reduce((most, { ids }) => Math.max(most, ids.length), 0);
}
