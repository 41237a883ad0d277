import {
  FarmError,
  type DeviceReport,
  type EncodeOptions,
  type EncodeText,
  type Lane,
  type ModelRegistration,
  type VectorBlock,
} from '@embedfarm/contract';
import { Batcher, type BatchCounters } from '@embedfarm/engine/batch/batcher';
import { EncodeCall } from '@embedfarm/engine/batch/encode-call';
import type { Encoder, FinishedBatch } from '@embedfarm/farm/worker';
import { BATCH_TEXTS, DIMENSIONS, textId, TimedDevice, type DeviceCost } from './timed-device.ts';

export const TIMED_MODEL: ModelRegistration = {
  model: 'timed',
  fingerprint: 'timed-1',
  dimensions: DIMENSIONS,
  maxSequenceLength: 512,
  pooling: 'mean',
  normalize: false,
  dtype: 'float32',
  meaningful: false,
};

/** As an engine's device has them; see seatLimits. */
const SLOTS = 2;
// A first guess that the first batches correct.
const MIN_MS_PER_TEXT = 0.001;

/** The engine's own batcher over a timed device: lanes, slots and bookkeeping are real, tokens and model are not. */
export class TimedEncoder implements Encoder {
  readonly #batcher: Batcher;

  constructor(cost: DeviceCost) {
    const seat = {
      device: new TimedDevice(cost),
      provider: 'cpu' as const,
      slots: SLOTS,
      tokenBudget: BATCH_TEXTS,
      msPerToken: Math.max(MIN_MS_PER_TEXT, cost.msPerText + cost.msPerBatch / BATCH_TEXTS),
    };
    const now = (): number => performance.now();
    this.#batcher = new Batcher([seat], { windowTexts: BATCH_TEXTS, graph: 'packed', now });
  }

  get backlogMs(): number {
    return this.#batcher.backlogMs;
  }

  get waitingTexts(): number {
    return this.#batcher.waitingTexts;
  }

  get counters(): BatchCounters {
    return this.#batcher.counters;
  }

  async encode(
    texts: readonly EncodeText[],
    { dtype, normalize = false, dimensions = DIMENSIONS }: EncodeOptions,
    { signal, lane }: { signal: AbortSignal; lane: Lane },
  ): Promise<VectorBlock> {
    const call = new EncodeCall(texts.length, { dtype, normalize, dimensions }, performance.now());
    const abort = (): void => {
      call.cancel(new FarmError('cancelled', 'the chunk was aborted'));
      this.#batcher.remove(call);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const sequences = texts.map((text, index) => {
        const ids = Int32Array.of(textId(String(text)));
        call.tokenized(index, { ids, truncated: false });
        return { ids, index, call };
      });
      call.allTokenized(performance.now());
      if (!call.isSettled) this.#batcher.put(sequences, lane);
      await call.settled;
      return call.toBlock();
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  onBatchEnd(listener: () => void): () => void {
    return this.#batcher.onChange(listener);
  }

  onBatch(listener: (batch: FinishedBatch) => void): () => void {
    return this.#batcher.onBatch(listener);
  }

  deviceReports(): DeviceReport[] {
    return this.#batcher.deviceReports();
  }

  throughput(): { textsPerSecond: number; tokensPerSecond: number } {
    return this.#batcher.throughput();
  }
}
