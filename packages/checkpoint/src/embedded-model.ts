import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BertConfig } from './bert-config.ts';
import { bertGraph, type BertGraphOptions } from './bert-graph.ts';
import { embeddedVocabulary } from './embedded-vocabulary.ts';
import { encodeOnnxModel } from './onnx-model.ts';
import { PACKED_FORMAT, writePackedModel } from './packed-model.ts';
import { outputFor, type Pooling } from './pooling.ts';
import type { Quantization } from './quantized-linear.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { BERT_SHAPES } from './random-model.ts';

/** The name by which the embedded model is asked for. */
export const EMBEDDED_MODEL = 'embedded';

const SEED = 20_181_011;

export interface EmbeddedModelOptions {
  /** `mean` by default. */
  readonly pooling?: Pooling | undefined;
  /** As in `BertGraphOptions`; the last block by default. */
  readonly poolingLayers?: readonly number[] | undefined;
  /** As in `BertGraphOptions`; float32 by default. */
  readonly quantization?: Quantization | undefined;
}

/**
 * The model that is always there: a BERT of 2 layers of 128, untrained, made by this package and the
 * same to the bit everywhere. It lets a farm start without a download; texts that share words get
 * vectors that are near, and no more should be read into them.
 *
 * @returns the absolute path of its directory under `cacheDirectory`. It is written on the first call
 * (4.5 MB); the folder's name changes with its content. Safe for several processes at once.
 * @throws FarmError `invalid_argument` for layers that it does not have.
 */
export async function ensureEmbeddedModel(
  cacheDirectory: string,
  { pooling: wished = 'mean', poolingLayers, quantization }: EmbeddedModelOptions = {},
): Promise<string> {
  const vocabulary = embeddedVocabulary();
  const config: BertConfig = { ...BERT_SHAPES.tiny, vocabularySize: vocabulary.length };
  const weights = randomBertWeights(config, SEED, { pooler: true });
  const output = outputFor(wished);
  // One directory serves all poolings of the same graph.
  const pooling = output === 'tokens' ? 'mean' : wished;
  const cut = poolingLayers === undefined ? {} : { poolingLayers };
  const options: BertGraphOptions = { output, ...cut, quantization };
  const { bytes } = encodeOnnxModel(bertGraph(config, weights, options), 'model.onnx.data');
  const content = createHash('sha256')
    .update(JSON.stringify([PACKED_FORMAT, SEED, config, vocabulary]))
    .update(bytes)
    .digest('hex');
  const directory = resolve(join(cacheDirectory, `${EMBEDDED_MODEL}-${content.slice(0, 12)}`));
  if (await isComplete(directory)) return directory;
  try {
    return await writePackedModel(directory, {
      config,
      weights,
      vocabulary,
      lowercase: true,
      pooling,
      ...cut,
      quantization,
      normalize: true,
      meaningful: false,
    });
  } catch (cause) {
    // Another process may have finished it since we looked.
    if (await isComplete(directory)) return directory;
    throw cause;
  }
}

/** A packed model appears whole, so one file stands for all. */
async function isComplete(directory: string): Promise<boolean> {
  return access(join(directory, 'embedfarm.json')).then(
    () => true,
    () => false,
  );
}
