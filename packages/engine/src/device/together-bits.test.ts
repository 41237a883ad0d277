import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BertConfig } from '@embedfarm/checkpoint/bert-config';
import type { Pooling } from '@embedfarm/checkpoint/pooling';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { joinSequences } from '../batch/sequence-batch.ts';
import { readModelSpec, type ModelSpec } from '../model/model-spec.ts';
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

async function open(spec: ModelSpec, threads: number): Promise<OnnxDevice> {
  const { files, graph, output, pooling, vocabularySize, maxSequenceLength, dimensions, heads, padId } = spec;
  const sizes = { vocabularySize, maxSequenceLength, dimensions, heads, padId };
  const device = await OnnxDevice.open({
    ...sizes,
    name: threads === 1 ? 'cpu/0' : 'cpu/*',
    threads,
    modelFile: files.graph,
    graph,
    output,
    pooling,
  });
  onTestFinished(() => device.close());
  return device;
}

describe.each(Object.entries(SIZES))('a packed graph on several threads, %s', (name, config) => {
  it.each(POOLINGS)('gives the bits of one thread, by %s', async (pooling) => {
    const path = join(directory, `${name}-${pooling}`);
    const spec = await readModelSpec(await writeTinyModel(path, { config, pooling }));
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
