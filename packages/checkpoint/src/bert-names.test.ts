import { describe, expect, it } from 'vitest';
import { bertWeightsOf } from './bert-names.ts';
import { bertWeightShapes, weightOf } from './bert-weights.ts';
import { googleTensors, huggingFaceTensors, TINY } from './pretrained.fixture.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import type { StoredTensor, StoredTensors } from './stored-tensor.ts';
import { floatTensor } from './tensor-bundle/bundle.fixture.ts';

const weights = randomBertWeights(TINY, 1);

function stored(tensors: Record<string, { shape: readonly number[]; bytes: Uint8Array }>): StoredTensors {
  const entries = Object.entries(tensors).map(([name, { shape, bytes }]): [string, StoredTensor] => [
    name,
    { shape, type: 'float32', file: 'a file', read: () => new Float32Array(bytes.slice().buffer) },
  ]);
  return new Map(entries);
}

describe('bertWeightsOf', () => {
  it.each([
    ['Google', googleTensors(weights)],
    ['Google, under another prefix', googleTensors(weights, { prefix: 'model/bert/' })],
    ['Google, under no prefix', googleTensors(weights, { prefix: '' })],
    ['Hugging Face', huggingFaceTensors(weights)],
    ['Hugging Face, under a prefix', huggingFaceTensors(weights, { prefix: 'bert.' })],
    ['Hugging Face, under another prefix', huggingFaceTensors(weights, { prefix: '0.auto_model.' })],
    ['Hugging Face before 2019', huggingFaceTensors(weights, { isOld: true })],
  ])('reads the names of %s', (_, tensors) => {
    const found = bertWeightsOf('a file', stored(tensors));
    expect([...found.keys()].toSorted()).toEqual([...bertWeightShapes(TINY).keys()].toSorted());
    for (const [name, { shape, read }] of weights) {
      expect(weightOf(found, name).shape, name).toEqual(shape);
      expect(weightOf(found, name).read(), name).toEqual(read());
    }
  });

  it('leaves out the moments of an optimizer, heads and what an average keeps', () => {
    const one = { shape: [1], bytes: new Uint8Array(4) };
    const more = {
      global_step: one,
      'other/pooler/dense/kernel': one,
      'bert/pooler/dense/kernel/adam_v': one,
      'bert/embeddings/word_embeddings/adam_m': one,
      'bert/embeddings/word_embeddings/ExponentialMovingAverage': one,
      'bert/encoder/layer_0/output/dense/kernel/Adam_1': one,
      'cls/predictions/transform/LayerNorm/beta': one,
      'cls/predictions/transform/dense/kernel': one,
      'bert.embeddings.position_ids': one,
      'cls.predictions.transform.LayerNorm.weight': one,
    };
    const found = bertWeightsOf('a file', stored({ ...more, ...googleTensors(weights) }));
    expect(found.size).toBe(bertWeightShapes(TINY).size);
  });

  it('gives the pooler with the encoder', () => {
    const kernel = floatTensor([2, 3], [0, 1, 2, 3, 4, 5]);
    const google = stored({ ...googleTensors(weights), 'bert/pooler/dense/kernel': kernel });
    const pooler = weightOf(bertWeightsOf('a file', google), 'pooler.dense.weight');
    expect([pooler.shape, ...pooler.read()]).toEqual([[3, 2], 0, 3, 1, 4, 2, 5]);
    const huggingFace = stored({ ...huggingFaceTensors(weights), 'pooler.dense.weight': kernel });
    expect(weightOf(bertWeightsOf('a file', huggingFace), 'pooler.dense.weight').shape).toEqual([2, 3]);
  });

  it('takes, of several encoders, the one that Google and Hugging Face would load', () => {
    const [first, second] = [randomBertWeights(TINY, 2), randomBertWeights(TINY, 3)];
    const tensors = {
      ...googleTensors(first, { prefix: 'teacher/bert/' }),
      ...googleTensors(weights),
      ...googleTensors(second, { prefix: 'zz/' }),
    };
    const name = 'encoder.layer.1.output.dense.weight';
    const found = bertWeightsOf('a file', stored(tensors));
    expect(weightOf(found, name).read()).toEqual(weightOf(weights, name).read());
  });

  it('refuses several encoders of which none is the usual one, and two tensors of one name', () => {
    const several = {
      ...googleTensors(weights, { prefix: 'a/' }),
      ...googleTensors(weights, { prefix: 'b/' }),
    };
    expect(() => bertWeightsOf('a file', stored(several))).toThrow('a file holds several encoders: a/, b/');
    const twice = { ...huggingFaceTensors(weights), ...huggingFaceTensors(weights, { isOld: true }) };
    expect(() => bertWeightsOf('a file', stored(twice))).toThrow(
      'a file has two tensors for embeddings.LayerNorm',
    );
  });

  it('refuses a file without an encoder, and says what it holds', () => {
    const one = { shape: [1], bytes: new Uint8Array(4) };
    expect(() => bertWeightsOf('a file', stored({ 'roformer/x': one, global_step: one }))).toThrow(
      '[invalid_argument] a file holds no BERT encoder; of its 2 tensors the first are: roformer/x, global_step',
    );
  });
});
