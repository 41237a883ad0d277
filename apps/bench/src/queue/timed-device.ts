import { setImmediate as turn, setTimeout as rest } from 'node:timers/promises';
import type { SequenceBatch } from '@embedfarm/engine/batch/sequence-batch';
import type { Device } from '@embedfarm/engine/device/device';
import { seededRandom } from '@embedfarm/testkit/seeded-random';

/** What a batch takes. */
export interface DeviceCost {
  readonly msPerBatch: number;
  readonly msPerText: number;
}

export const DIMENSIONS = 384;
/** Texts of a full batch: one chunk. */
export const BATCH_TEXTS = 256;
/** A full batch takes 17 ms; most of it is its texts, as on hardware. */
export const SLOW_DEVICE: DeviceCost = { msPerBatch: 4, msPerText: 13 / BATCH_TEXTS };
export const SLOW_BATCH_MS = SLOW_DEVICE.msPerBatch + SLOW_DEVICE.msPerText * BATCH_TEXTS;
/** What is measured with it is the way there and back. */
export const INSTANT_DEVICE: DeviceCost = { msPerBatch: 0, msPerText: 0 };

// Float32 holds each of them exactly.
const MAX_ID = 2 ** 24;
const ROWS = 64;
// How late a timer may be.
const TIMER_MS = 1.5;

/** A text as its one token. */
export function textId(text: string): number {
  let id = 0;
  for (let at = 0; at < text.length; at += 1) id = (id * 31 + text.charCodeAt(at)) % MAX_ID;
  return id;
}

/**
 * A device without a model: each row begins with its token's id, so that a vector shows whose it is. It takes its
 * time by the clock, not by the CPU, so that the cores are left to what is measured. A batch that is ready begins when
 * the one before it ends, however late our own loop hears of it, as on hardware.
 */
export class TimedDevice implements Device {
  readonly name = 'cpu/0';
  readonly dimensions = DIMENSIONS;
  readonly #cost: DeviceCost;
  readonly #rows = randomRows();
  #freeAtMs = 0;

  constructor(cost: DeviceCost) {
    this.#cost = cost;
  }

  async encode({ ids }: SequenceBatch): Promise<Float32Array> {
    const { msPerBatch, msPerText } = this.#cost;
    this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + msPerBatch + msPerText * ids.length;
    await until(this.#freeAtMs);
    const rows = new Float32Array(ids.length * DIMENSIONS);
    for (const [row, id] of ids.entries()) {
      rows.set(this.#rows[id % ROWS] ?? [], row * DIMENSIONS);
      rows[row * DIMENSIONS] = id;
    }
    return rows;
  }

  async close(): Promise<void> {
    await until(this.#freeAtMs);
  }
}

/** A timer may be a millisecond late, hardware is not: the last one is waited for turn by turn of the loop. */
async function until(ms: number): Promise<void> {
  for (let left = ms - performance.now(); left > 0; left = ms - performance.now()) {
    await (left > TIMER_MS ? rest(Math.floor(left - TIMER_MS)) : turn());
  }
}

function randomRows(): Float32Array[] {
  const random = seededRandom(1);
  return Array.from({ length: ROWS }, () => Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5));
}
