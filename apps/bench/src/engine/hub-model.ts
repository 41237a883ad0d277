import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { formatBertConfig, type BertConfig } from '@embedfarm/checkpoint/bert-config';
import { embeddedVocabulary } from '@embedfarm/checkpoint/embedded-vocabulary';
import { plainBertGraph } from '@embedfarm/checkpoint/plain-bert-graph';
import { randomBertWeights } from '@embedfarm/checkpoint/random-bert-weights';
import { BERT_SHAPES } from '@embedfarm/checkpoint/random-model';
import { sentenceTransformerFiles } from '@embedfarm/checkpoint/sentence-transformer-files';
import { writeOnnxModel } from '@embedfarm/checkpoint/write-onnx-model';
import type { Shape } from '../bench-model.ts';
import { quantizeDynamically } from './dynamic-quantization.ts';
import { hubTokenizer } from './hub-tokenizer.ts';
import { writeSafetensors } from './write-safetensors.ts';

/** A change of what is written gets another number, and so another directory. */
const FORM = 1;
const SEED = 20_170_612;
const VOCABULARY_SIZE = 30_522;

/**
 * A directory as models lie on Hugging Face: the same random weights as `model.safetensors`, which the engine
 * converts, as `onnx/model.onnx` and, dynamically quantized, as `onnx/model_quantized.onnx`, which
 * transformers.js takes as they are. Both read the same `tokenizer.json`. Written once: base takes 1 GB.
 *
 * @returns its absolute path; it appears whole.
 */
export async function hubModel(shape: Shape, cacheDir: string): Promise<string> {
  const vocabulary = embeddedVocabulary();
  const config: BertConfig = {
    ...BERT_SHAPES[shape === 'base' ? 'bert-base' : shape],
    vocabularySize: VOCABULARY_SIZE,
  };
  const content = createHash('sha256')
    .update(JSON.stringify([FORM, SEED, config, vocabulary]))
    .digest('hex');
  const directory = resolve(cacheDir, `hub-${shape}-${content.slice(0, 12)}`);
  if (await exists(directory)) return directory;
  const temporary = `${directory}.${randomUUID()}.tmp`;
  try {
    await fill(temporary, config, vocabulary);
    await rename(temporary, directory);
  } catch (thrown) {
    await rm(temporary, { recursive: true, force: true });
    throw thrown;
  }
  return directory;
}

async function fill(directory: string, config: BertConfig, vocabulary: readonly string[]): Promise<void> {
  const weights = randomBertWeights(config, SEED, { pooler: true });
  const files = {
    'config.json': formatBertConfig(config),
    'tokenizer.json': hubTokenizer(vocabulary),
    ...sentenceTransformerFiles({
      pooling: 'mean',
      normalize: true,
      lowercase: true,
      dimensions: config.hiddenSize,
      maxSequenceLength: config.maxPositions,
    }),
  };
  for (const [path, json] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), JSON.stringify(json));
  }
  await writeSafetensors(join(directory, 'model.safetensors'), weights);
  await mkdir(join(directory, 'onnx'));
  const graph = plainBertGraph(config, weights, { tokenTypes: true });
  await writeOnnxModel(directory, graph, 'onnx/model.onnx');
  await writeOnnxModel(directory, quantizeDynamically(graph), 'onnx/model_quantized.onnx');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
