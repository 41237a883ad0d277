import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BertConfig } from '@embedfarm/checkpoint/bert-config';
import type { Pooling } from '@embedfarm/checkpoint/pooling';
import { WEIGHT_DTYPES, type WeightDtype } from '@embedfarm/contract';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { writeWeights } from '@embedfarm/testkit/write-weights';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { joinSequences } from '../batch/sequence-batch.ts';
import { makeInt8 } from '../int8/make-int8.ts';
import { readModelSpec, type ModelSpec } from '../model/model-spec.ts';
import { readCpuFeatures, weightBitsFor } from './cpu-features.ts';
import { deviceOptionsOf } from './device-options-of.ts';
import { OnnxDevice } from './onnx-device.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'together-bits-'));
});
afterAll(() => rm(directory, { recursive: true }));

const SIZES: Record<string, Partial<BertConfig>> = {
  'the tiny model': { layers: 2 },
  'heads of 32': { layers: 2, hiddenSize: 384, heads: 12, intermediateSize: 1536 },
  'heads of 64': { layers: 1, hiddenSize: 768, heads: 12, intermediateSize: 3072 },
};
const POOLINGS: readonly Pooling[] = ['mean', 'cls', 'cls_pooled', 'none'];
// More threads than cores divide the work just as well.
const THREADS = [2, 3, 8];
const NO_PAIRS = { specialTokens: { first: 1, between: 1, last: 1 }, typesSegments: false };

async function open(spec: ModelSpec, threads: number): Promise<OnnxDevice> {
  const device = await OnnxDevice.open({
    ...deviceOptionsOf(spec, spec.files.graph, NO_PAIRS),
    name: threads === 1 ? 'cpu/0' : 'cpu/*',
    threads,
  });
  onTestFinished(() => device.close());
  return device;
}

/** Both forms of the weights, whatever int8 does to the vectors. */
const WRITE: Readonly<
  Record<WeightDtype, (path: string, config: Partial<BertConfig>, pooling: Pooling) => Promise<string>>
> = {
  float32: (path, config, pooling) => writeTinyModel(path, { config, pooling }),
  int8: async (path, config, pooling) => {
    const source = await writeWeights(`${path}-weights`, { config });
    const bits = weightBitsFor(await readCpuFeatures());
    return (await makeInt8(source, path, bits, { pooling })).directory;
  },
};
const CASES = WEIGHT_DTYPES.flatMap((dtype) => POOLINGS.map((pooling) => ({ dtype, pooling })));

describe.each(Object.entries(SIZES))('a packed graph on several threads, %s', (name, config) => {
  it.each(CASES)('gives the bits of one thread, in $dtype by $pooling', async ({ dtype, pooling }) => {
    const path = join(directory, `${name}-${dtype}-${pooling}`);
    const spec = await readModelSpec(await WRITE[dtype](path, config, pooling));
    const core = await open(spec, 1);
    const others = await Promise.all(THREADS.map((threads) => open(spec, threads)));
    const long = { minLength: 1, maxLength: Math.min(200, spec.maxSequenceLength) };
    const ids = fc.integer({ min: 0, max: spec.vocabularySize - 1 });
    const text = fc.oneof(
      fc.array(ids, { minLength: 1, maxLength: 20 }),
      fc.array(ids, { ...long, size: 'max' }),
    );
    // A lone text, or the few that are not split.
    const batches = fc.oneof(fc.tuple(text), fc.array(text, { minLength: 1, maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(batches, async (texts) => {
        const batch = joinSequences(texts.map((tokens) => Int32Array.from(tokens)));
        const expected = await core.encode(batch);
        for (const device of others)
          expect(bytesOf(await device.encode(batch)).equals(bytesOf(expected))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
