import { describe, expect, it } from 'vitest';
import type { BertConfig } from './bert-config.ts';
import { bertGraph, graphLayers } from './bert-graph.ts';
import { encodeOnnxModel } from './onnx-model.ts';
import { resolvePoolingLayers } from './pooling.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { BERT_SHAPES } from './random-model.ts';

const config: BertConfig = { ...BERT_SHAPES.tiny, layers: 4, vocabularySize: 100 };
const weights = randomBertWeights(config, 1, { pooler: true });

describe('resolvePoolingLayers', () => {
  it('counts from the first block, or from the last one backwards', () => {
    expect(resolvePoolingLayers([0, 3, -1, -4, -2], 4)).toEqual([0, 3, 3, 0, 2]);
  });

  it.each([[[4]], [[-5]], [[0.5]], [[-1, 12]]])('refuses %j of 4 blocks', (layers) => {
    expect(() => resolvePoolingLayers(layers, 4)).toThrow('poolingLayers must be -4 to 3');
  });

  it('refuses an empty list', () => {
    expect(() => resolvePoolingLayers([], 4)).toThrow('poolingLayers is empty');
  });
});

describe('bertGraph', () => {
  it('ends at the highest block that is pooled', () => {
    expect(graphLayers(config, { poolingLayers: [-2] })).toEqual({ layers: 3, poolingLayers: [2] });
    expect(graphLayers(config, { poolingLayers: [0, -3] })).toEqual({ layers: 2, poolingLayers: [0, 1] });
    expect(graphLayers(config, { layers: 2 })).toEqual({ layers: 2, poolingLayers: [1] });
    const names = bertGraph(config, weights, { poolingLayers: [-3] }).constants.map(({ name }) => name);
    expect(names.some((name) => name.startsWith('layer0'))).toBe(true);
    expect(names.some((name) => name.startsWith('layer2'))).toBe(false);
  });

  it('takes the last block for the pooler, whatever layers are asked for', () => {
    const options = { output: 'pooled', poolingLayers: [0] } as const;
    expect(graphLayers(config, options)).toEqual({ layers: 4, poolingLayers: [3] });
  });

  it('is the same for the last block by any of its names', () => {
    const bytes = (poolingLayers?: number[]): Uint8Array =>
      encodeOnnxModel(bertGraph(config, weights, poolingLayers ? { poolingLayers } : {}), 'data').bytes;
    expect(bytes([-1])).toEqual(bytes());
    expect(bytes([3])).toEqual(bytes());
  });

  it('is as wide as its pooling layers', () => {
    const { outputs } = bertGraph(config, weights, { poolingLayers: [-1, 0, -1] });
    expect(outputs).toEqual([{ name: 'hidden', type: 'float32', dims: [1, 'T', 3 * 128] }]);
  });

  it.each([
    [{ layers: 2, poolingLayers: [-1] }, 'the graph keeps 2 of 4 blocks, block 4 is pooled'],
    [{ layers: 3, output: 'pooled' as const }, 'the graph keeps 3 of 4 blocks, block 4 is pooled'],
  ])('refuses to pool a block that it cuts off: %j', (options, message) => {
    expect(() => bertGraph(config, weights, options)).toThrow(message);
  });

  it('needs the weights of the pooler for the pooler only', () => {
    const encoder = randomBertWeights(config, 1);
    expect(() => bertGraph(config, encoder, { output: 'first' })).not.toThrow();
    expect(() => bertGraph(config, encoder, { output: 'pooled' })).toThrow('pooler.dense.weight is missing');
  });
});
