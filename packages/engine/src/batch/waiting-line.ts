import { LANES, type Lane } from '@embedfarm/contract';
import { goesAlone, owedAfter } from './lane-share.ts';
import type { SequenceMarks } from './sequence-batch.ts';
import { addRow, EMPTY_BATCH, planBatch, type BatchLimits, type BatchShape } from './plan-batch.ts';

/** One tokenized text on its way to a device. */
export interface WaitingSequence<Call = unknown> extends SequenceMarks {
  readonly ids: Int32Array;
  /** Index of the text in its call. */
  readonly index: number;
  readonly call: Call;
}

/**
 * Sequences that wait for a slot, in two lanes. Each lane is cut into windows of at most `windowTexts` in
 * order of arrival; a window is sorted by length, upwards and downwards in turn (so that a batch that
 * straddles two windows holds like lengths), and used up before the next one is formed.
 */
export class WaitingLine<Call> {
  readonly #windowTexts: number;
  readonly #lanes: Record<Lane, LaneLine<Call>> = { interactive: newLane(), bulk: newLane() };
  /** Tokens that bulk is owed: a stream of interactive texts cannot starve it. */
  #owed = 0;
  /** Bulk's tokens since interactive texts went alone. */
  #bulkSince = 0;
  #texts = 0;
  readonly #tokens: Record<Lane, number> = { interactive: 0, bulk: 0 };

  constructor(windowTexts: number) {
    this.#windowTexts = windowTexts;
  }

  get texts(): number {
    return this.#texts;
  }

  get tokens(): number {
    return this.#tokens.interactive + this.#tokens.bulk;
  }

  tokensOf(lane: Lane): number {
    return this.#tokens[lane];
  }

  put(sequences: readonly WaitingSequence<Call>[], lane: Lane): void {
    const { arrived } = this.#lanes[lane];
    for (const sequence of sequences) {
      arrived.push(sequence);
      this.#texts += 1;
      this.#tokens[lane] += sequence.ids.length;
    }
  }

  /**
   * The next batch: what bulk is owed (an eighth of the tokens, while it waits), then interactive, then bulk; everything
   * that fits, except that few interactive texts go alone, if bulk had its turn since others did. Empty where nothing waits.
   */
  take(limits: BatchLimits): WaitingSequence<Call>[] {
    const { interactive, bulk } = this.#lanes;
    const batch: WaitingSequence<Call>[] = [];
    const owed = this.#takeOwed(limits, batch);
    const first = this.#takeFrom(interactive, limits, owed, batch);
    const interactiveTokens = first.tokens - owed.tokens;
    const isAlone = owed.rows === 0 && goesAlone({ interactiveTokens, bulkSince: this.#bulkSince }, limits);
    const shape = isAlone ? first : this.#takeFrom(bulk, limits, first, batch);
    const bulkTokens = shape.tokens - interactiveTokens;
    this.#owed = owedAfter(this.#owed, { tokens: shape.tokens, bulkTokens }, hasSequences(bulk));
    this.#bulkSince = isAlone ? 0 : this.#bulkSince + bulkTokens;
    this.#texts -= shape.rows;
    this.#tokens.interactive -= interactiveTokens;
    this.#tokens.bulk -= bulkTokens;
    return batch;
  }

  /** The sequences of a call leave the line. */
  remove(call: Call): void {
    for (const lane of LANES) {
      const line = this.#lanes[lane];
      line.window = this.#without(call, line.window, lane);
      line.arrived = this.#without(call, line.arrived.slice(line.next), lane);
      line.next = 0;
    }
  }

  #without(call: Call, sequences: readonly WaitingSequence<Call>[], lane: Lane): WaitingSequence<Call>[] {
    return sequences.filter((sequence) => {
      if (sequence.call !== call) return true;
      this.#texts -= 1;
      this.#tokens[lane] -= sequence.ids.length;
      return false;
    });
  }

  /** Nothing until the whole of bulk's first sequence is owed: a text is never cut. */
  #takeOwed(limits: BatchLimits, batch: WaitingSequence<Call>[]): BatchShape {
    const { bulk } = this.#lanes;
    if (!this.#fillWindow(bulk) || (bulk.window[0]?.ids.length ?? 0) > this.#owed) return EMPTY_BATCH;
    const tokenBudget = Math.min(limits.tokenBudget, Math.floor(this.#owed));
    return this.#takeFrom(bulk, { ...limits, tokenBudget }, EMPTY_BATCH, batch);
  }

  #takeFrom(
    line: LaneLine<Call>,
    limits: BatchLimits,
    begun: BatchShape,
    batch: WaitingSequence<Call>[],
  ): BatchShape {
    let shape = begun;
    while (this.#fillWindow(line)) {
      const count = planBatch(lengthsOf(line.window), limits, shape);
      const isUsedUp = count === line.window.length;
      for (const sequence of line.window.splice(0, count)) {
        batch.push(sequence);
        shape = addRow(shape, sequence.ids.length);
      }
      if (!isUsedUp) break;
    }
    return shape;
  }

  /** Whether the lane's window holds a sequence, after a new one was formed where it was used up. */
  #fillWindow(line: LaneLine<Call>): boolean {
    if (line.window.length > 0) return true;
    const end = Math.min(line.next + this.#windowTexts, line.arrived.length);
    line.window = line.arrived.slice(line.next, end);
    line.next = end;
    const direction = line.isDescending ? -1 : 1;
    line.window.sort((a, b) => direction * (a.ids.length - b.ids.length));
    line.isDescending = !line.isDescending;
    forgetTaken(line);
    return line.window.length > 0;
  }
}

interface LaneLine<Call> {
  /** In order of arrival; those before `next` are in the window or gone. */
  arrived: WaitingSequence<Call>[];
  next: number;
  window: WaitingSequence<Call>[];
  isDescending: boolean;
}

function hasSequences<Call>({ window, arrived, next }: LaneLine<Call>): boolean {
  return window.length > 0 || next < arrived.length;
}

function newLane<Call>(): LaneLine<Call> {
  return { arrived: [], next: 0, window: [], isDescending: false };
}

/** Moving the rest forward costs its length, so it is done only when half of the list is gone. */
function forgetTaken<Call>(line: LaneLine<Call>): void {
  if (line.next * 2 < line.arrived.length) return;
  line.arrived = line.arrived.slice(line.next);
  line.next = 0;
}

function* lengthsOf(sequences: readonly WaitingSequence[]): Generator<number> {
  for (const { ids } of sequences) yield ids.length;
}
