import { encodeOptionsSchema, FarmError } from '@embedfarm/contract';
import { describe, expect, it } from 'vitest';
import { shortText } from './short-texts.ts';
import { DIMENSIONS, SLOW_BATCH_MS, SLOW_DEVICE, textId } from './timed-device.ts';
import { TimedEncoder } from './timed-encoder.ts';

const options = encodeOptionsSchema.parse({});
const call = (signal = new AbortController().signal) => ({ signal, lane: 'bulk' as const });
const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => shortText(index));

describe('TimedEncoder', () => {
  it('gives every text a vector that shows whose it is, the same in every call', async () => {
    const encoder = new TimedEncoder({ msPerBatch: 0, msPerText: 0 });
    const { values, firstRows } = await encoder.encode(texts(600), options, call());
    expect(firstRows.at(-1)).toBe(600);
    const ids = texts(600).map((_, row) => values[row * DIMENSIONS]);
    expect(ids).toEqual(texts(600).map(textId));
    expect(new Set(ids).size).toBe(600);
    const alone = await encoder.encode([shortText(599)], options, call());
    expect(alone.values).toEqual(values.slice(599 * DIMENSIONS));
  });

  it('lets texts of several calls share a batch of 256, and takes its time for each', async () => {
    const encoder = new TimedEncoder(SLOW_DEVICE);
    const beginMs = performance.now();
    await Promise.all([0, 1, 2, 3].map(() => encoder.encode(texts(128), options, call())));
    expect(encoder.counters).toMatchObject({ texts: 512, batches: 3 });
    expect(performance.now() - beginMs).toBeGreaterThanOrEqual(2 * SLOW_BATCH_MS);
  });

  it('lets an aborted chunk leave the line', async () => {
    const encoder = new TimedEncoder(SLOW_DEVICE);
    const abort = new AbortController();
    const running = encoder.encode(texts(512), options, call());
    const waiting = encoder.encode(texts(256), options, call(abort.signal));
    abort.abort();
    await expect(waiting).rejects.toThrow(FarmError);
    await running;
    expect(encoder.counters.texts).toBe(512);
  });
});
