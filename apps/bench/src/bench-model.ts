import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureEmbeddedModel } from '@embedfarm/checkpoint/embedded-model';
import { embeddedVocabulary } from '@embedfarm/checkpoint/embedded-vocabulary';
import { PACKED_FORMAT } from '@embedfarm/checkpoint/packed-model';
import { BERT_SHAPES, writeRandomModel, type BertShape } from '@embedfarm/checkpoint/random-model';

/** `tiny` is the embedded model, `minilm` has 6 layers of 384, `base` 12 of 768. */
export const SHAPES = ['tiny', 'minilm', 'base'] as const;
export type Shape = (typeof SHAPES)[number];

const SEED = 20_170_612;

/**
 * The directory of a model of the shape, with random weights: what a model costs does not depend on them.
 * Written once; base takes 440 MB.
 */
export async function benchModel(shape: Shape, cacheDir: string): Promise<string> {
  if (shape === 'tiny') return ensureEmbeddedModel(cacheDir);
  const name: BertShape = shape === 'base' ? 'bert-base' : shape;
  const vocabulary = embeddedVocabulary();
  const content = createHash('sha256')
    .update(JSON.stringify([PACKED_FORMAT, SEED, BERT_SHAPES[name], vocabulary]))
    .digest('hex');
  const directory = join(cacheDir, `${shape}-${content.slice(0, 12)}`);
  if (await isComplete(directory)) return directory;
  return writeRandomModel(directory, name, { vocabulary, seed: SEED });
}

/** A model directory appears whole, so one file stands for all. */
function isComplete(directory: string): Promise<boolean> {
  return access(join(directory, 'embedfarm.json')).then(
    () => true,
    () => false,
  );
}
