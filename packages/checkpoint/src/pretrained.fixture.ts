import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBertConfig, type BertConfig } from './bert-config.ts';
import type { BertWeights } from './bert-weights.ts';
import { safetensorsOf } from './safetensors.fixture.ts';
import {
  floatTensor,
  writeBundle,
  type BundleOptions,
  type FixtureTensor,
} from './tensor-bundle/bundle.fixture.ts';

// Pretrained models in the layouts of others, for tests.

export const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'one', 'two', '##s'];

export const TINY: BertConfig = {
  vocabularySize: VOCABULARY.length,
  layers: 2,
  hiddenSize: 8,
  heads: 2,
  intermediateSize: 12,
  maxPositions: 16,
  segmentTypes: 2,
  layerNormEpsilon: 1e-12,
  activation: 'gelu',
  padTokenId: 0,
};

type Tensors = Record<string, FixtureTensor>;

export function googleTensors(weights: BertWeights, { prefix = 'bert/' } = {}): Tensors {
  const tensors: Tensors = {};
  for (const [name, { shape, read }] of weights) {
    const path = name.replace('layer.', 'layer_').replaceAll('.', '/');
    if (path.endsWith('_embeddings/weight'))
      tensors[prefix + path.slice(0, -'/weight'.length)] = floatTensor(shape, read());
    else if (path.includes('LayerNorm')) {
      tensors[prefix + path.replace(/weight$/, 'gamma').replace(/bias$/, 'beta')] = floatTensor(
        shape,
        read(),
      );
    } else tensors[prefix + path.replace(/weight$/, 'kernel')] = turned(shape, read());
  }
  return tensors;
}

export function huggingFaceTensors(weights: BertWeights, { prefix = '', isOld = false } = {}): Tensors {
  const tensors: Tensors = {};
  for (const [name, { shape, read }] of weights) {
    const old = name
      .replace('LayerNorm.weight', 'LayerNorm.gamma')
      .replace('LayerNorm.bias', 'LayerNorm.beta');
    tensors[prefix + (isOld ? old : name)] = floatTensor(shape, read());
  }
  return tensors;
}

function turned(shape: readonly number[], values: Float32Array): FixtureTensor {
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined) return floatTensor(shape, values);
  const kernel = Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!);
  return floatTensor([columns, rows], kernel);
}

/** A directory as Google published its models. */
export async function writeGoogleModel(
  directory: string,
  tensors: Tensors,
  { vocabulary = VOCABULARY, ...options }: BundleOptions & { readonly vocabulary?: readonly string[] } = {},
): Promise<string> {
  const { model_type: _, ...config } = formatBertConfig(TINY);
  await writeFiles(directory, {
    'bert_config.json': { ...config, hidden_act: 'gelu' },
    'vocab.txt': vocabulary.join('\n'),
  });
  await writeBundle(join(directory, 'bert_model.ckpt'), tensors, options);
  return directory;
}

/** A directory as Hugging Face lays it out; further files by their path. */
export async function writeHuggingFaceModel(
  directory: string,
  tensors: Tensors,
  files: Readonly<Record<string, unknown>> = { 'vocab.txt': `${VOCABULARY.join('\n')}\n` },
): Promise<string> {
  await writeFiles(directory, { 'config.json': formatBertConfig(TINY), ...files });
  await writeFile(join(directory, 'model.safetensors'), safetensorsOf(tensors));
  return directory;
}

/** Strings as they are, anything else as JSON. */
export async function writeFiles(directory: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** The tokenizer.json that BERT's fast tokenizer writes, less what no test needs. */
export function tokenizerJson(vocabulary: readonly string[], lowercase: boolean): unknown {
  const special = vocabulary.slice(0, 5).map((content, id) => ({ id, content, special: true }));
  return {
    version: '1.0',
    added_tokens: special,
    normalizer: { type: 'BertNormalizer', clean_text: true, strip_accents: null, lowercase },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  };
}
