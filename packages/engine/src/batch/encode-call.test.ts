import { FarmError } from '@embedfarm/contract';
import { describe, expect, it } from 'vitest';
import { EncodeCall } from './encode-call.ts';

const sequence = { ids: new Int32Array(7), truncated: true };
const shape = { dimensions: 2, normalize: false };

describe('EncodeCall', () => {
  it('takes the rows of failed texts out and says why they failed, once per reason', async () => {
    const call = new EncodeCall(4, shape, 0);
    const tooLong = (): FarmError => new FarmError('sequence_too_long', 'too long');
    for (const index of [0, 3]) call.tokenized(index, tooLong());
    for (const index of [1, 2]) call.tokenized(index, sequence);
    call.putRow(2, Float32Array.of(5, 6));
    call.putRow(1, Float32Array.of(3, 4));
    await call.settled;
    const block = call.toBlock();
    expect([...block.values]).toEqual([3, 4, 5, 6]);
    expect([...block.firstRows]).toEqual([0, 0, 1, 2, 2]);
    expect([...block.tokens]).toEqual([0, 7, 7, 0]);
    expect([...block.truncated]).toEqual([0, 1, 1, 0]);
    expect(block.failures).toEqual([{ code: 'sequence_too_long', message: 'too long', texts: [0, 3] }]);
  });

  it('keeps the first dimensions and scales them to length 1', async () => {
    const call = new EncodeCall(2, { dimensions: 2, normalize: true }, 0);
    call.putRow(0, Float32Array.of(3, 4, 99));
    call.putRow(1, Float32Array.of(0, 0, 1));
    await call.settled;
    expect([...call.toBlock().values]).toEqual([...Float32Array.of(0.6, 0.8, 0, 0)]);
  });

  it('fails a text whose vector holds no numbers', async () => {
    const call = new EncodeCall(1, shape, 0);
    call.putRow(0, Float32Array.of(1, Number.NaN));
    await call.settled;
    expect(call.toBlock().failures).toMatchObject([{ code: 'internal', texts: [0] }]);
  });

  it('rounds to the dtype after cut and scale', async () => {
    const call = new EncodeCall(2, { dimensions: 2, normalize: true, dtype: 'int8' }, 0);
    call.putRow(0, Float32Array.of(3, 4, 99));
    call.putRow(1, Float32Array.of(0, -2, 1));
    await call.settled;
    expect(call.toBlock()).toMatchObject({
      dtype: 'int8',
      dimensions: 2,
      values: Int8Array.of(76, 102, 0, -127),
    });
  });

  it('fails a text with a number that float16 does not reach, and no other', async () => {
    const call = new EncodeCall(2, { dimensions: 1, normalize: false, dtype: 'float16' }, 0);
    call.putRow(0, Float32Array.of(-1e30));
    call.putRow(1, Float32Array.of(65_504));
    await call.settled;
    const block = call.toBlock();
    expect(block.values).toEqual(Uint16Array.of(0x7bff));
    expect(block.failures).toMatchObject([{ code: 'invalid_argument', texts: [0] }]);
    expect(block.failures[0]?.message).toContain('float16 ends at ±65504');
  });

  it('keeps the rows of every token, cut and scaled each, in the order of the texts', async () => {
    const call = new EncodeCall(3, { dimensions: 2, normalize: true, tokenDimensions: 3 }, 0);
    call.putRow(2, Float32Array.of(0, 2, 99));
    call.putFailure(1, new FarmError('sequence_too_long', 'too long'));
    call.putRow(0, Float32Array.of(3, 4, 99, 0, 0, 99));
    await call.settled;
    const block = call.toBlock();
    expect([...block.values]).toEqual([...Float32Array.of(0.6, 0.8, 0, 0, 0, 1)]);
    expect([...block.firstRows]).toEqual([0, 2, 2, 3]);
  });

  it('fails a text where the vector of one token holds no numbers', async () => {
    const call = new EncodeCall(1, { ...shape, tokenDimensions: 2 }, 0);
    call.putRow(0, Float32Array.of(1, Number.NaN, 1, 2));
    await call.settled;
    expect(call.toBlock().failures).toMatchObject([{ code: 'internal', texts: [0] }]);
  });

  it('rejects when cancelled, and ignores what comes after', async () => {
    const call = new EncodeCall(1, shape, 0);
    call.cancel(new FarmError('cancelled', 'aborted'));
    call.putRow(0, Float32Array.of(1, 2));
    expect(call.isSettled).toBe(true);
    await expect(call.settled).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('says where its time went', async () => {
    const call = new EncodeCall(2, shape, 100);
    call.allTokenized(110);
    call.batchRan(140, 150);
    call.putRow(0, Float32Array.of(1, 2));
    call.batchRan(125, 160);
    call.putRow(1, Float32Array.of(1, 2));
    await call.settled;
    expect(call.toBlock().timing).toEqual({ queueMs: 0, tokenizeMs: 10, batchWaitMs: 15, deviceMs: 35 });
  });
});
