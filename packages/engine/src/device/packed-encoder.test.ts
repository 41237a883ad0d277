import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BertConfig } from '@embedfarm/checkpoint/bert-config';
import type { Pooling } from '@embedfarm/checkpoint/pooling';
import { referenceHidden, referencePool, referencePooler } from '@embedfarm/testkit/reference-encoder';
import { tinyModel, writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { joinSequences } from '../batch/sequence-batch.ts';
import { readModelSpec } from '../model/model-spec.ts';
import { deviceOptionsOf } from './device-options-of.ts';
import { OnnxDevice } from './onnx-device.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'packed-encoder-'));
});
afterAll(() => rm(directory, { recursive: true }));

const SIZES: Record<string, Partial<BertConfig>> = {
  'the tiny model': { layers: 2 },
  'one block': { layers: 1 },
  'heads of 32': { layers: 2, hiddenSize: 384, heads: 12, intermediateSize: 1536 },
  'heads of 64': { layers: 1, hiddenSize: 768, heads: 12, intermediateSize: 3072 },
  'MPNet’s distances': {
    layers: 2,
    hiddenSize: 384,
    heads: 12,
    intermediateSize: 1536,
    modelType: 'mpnet',
    segmentTypes: 0,
    distanceBuckets: 32,
  },
};

let models = 0;

async function open(
  config: Partial<BertConfig>,
  pooling: Pooling,
  poolingLayers = [-1],
): Promise<OnnxDevice> {
  const path = await writeTinyModel(join(directory, String(models++)), { config, pooling, poolingLayers });
  const spec = await readModelSpec(path);
  const special = { specialTokens: { first: 1, between: 1, last: 1 }, typesSegments: false };
  const device = await OnnxDevice.open({
    ...deviceOptionsOf(spec, spec.files.graph, special),
    name: 'cpu/0',
  });
  onTestFinished(() => device.close());
  return device;
}

describe.each(Object.entries(SIZES))('a packed graph of first tokens, %s', (_, size) => {
  const texts = sequences(20, 3000);

  it.each(['cls', 'cls_pooled'] as const)(
    'gives a row the same bits in every batch, by %s',
    async (pooling) => {
      const device = await open(size, pooling);
      const alone: Float32Array[] = [];
      for (const text of texts) alone.push(await device.encode(joinSequences([text])));
      for (let round = 0; round < 12; round += 1) {
        const chosen = Array.from(
          { length: 1 + (round % 7) },
          (_row, at) => (round * 5 + at * 3) % texts.length,
        );
        const rows = await device.encode(
          joinSequences(chosen.map((text) => texts[text] ?? new Int32Array(1))),
        );
        for (const [row, text] of chosen.entries()) {
          const got = rows.subarray(row * device.dimensions, (row + 1) * device.dimensions);
          expect(got, `${texts[text]?.length} tokens among ${chosen.length}`).toEqual(alone[text]);
        }
      }
    },
  );
});

it.each([[[-1]], [[-3]], [[-1, -2, -3]], [[0, -1, 0]]])(
  'gives first tokens of the layers %j as the reference has them',
  async (poolingLayers) => {
    const { config, weights } = tinyModel({ config: { layers: 3 } });
    const device = await open({ layers: 3 }, 'cls', poolingLayers);
    const texts = sequences(6, config.vocabularySize);
    const rows = await device.encode(joinSequences(texts));
    for (const [row, ids] of texts.entries()) {
      const hidden = referenceHidden(config, weights, [...ids], { poolingLayers });
      const expected = referencePool(hidden, ids.length, device.dimensions, 'cls', false);
      expect(difference(rows.subarray(row * device.dimensions), expected)).toBeLessThan(1e-5);
    }
  },
);

it('gives the pooler of the last block, whatever layers are asked for', async () => {
  const { config, weights } = tinyModel();
  const device = await open({}, 'cls_pooled', [0]);
  const texts = sequences(6, config.vocabularySize);
  const rows = await device.encode(joinSequences(texts));
  for (const [row, ids] of texts.entries()) {
    const expected = referencePooler(config, weights, referenceHidden(config, weights, [...ids]));
    expect(difference(rows.subarray(row * device.dimensions), expected)).toBeLessThan(1e-5);
  }
});

/** Of 1, 2, 3 … tokens, then of many. */
function sequences(count: number, vocabularySize: number): Int32Array[] {
  return Array.from({ length: count }, (_, index) => {
    const length = index < 12 ? index + 1 : 10 + ((index * index * 31) % 190);
    return Int32Array.from(
      { length },
      (_id, place) => (index * 977 + place * (index + 7) * 131) % vocabularySize,
    );
  });
}

function difference(got: Float32Array, expected: Float64Array): number {
  return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (got[at] ?? Number.NaN))), 0);
}
