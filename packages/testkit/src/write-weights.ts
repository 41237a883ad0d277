import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBertConfig } from '@embedfarm/checkpoint/bert-config';
import type { BertWeights } from '@embedfarm/checkpoint/bert-weights';
import { safetensorsOf } from './safetensors-of.ts';
import { tinyModel, type TinyModelOptions } from './tiny-model.ts';

export interface WeightsOptions extends TinyModelOptions {
  /** Changes the weights before they are written. */
  readonly change?: (weights: BertWeights) => BertWeights;
}

/** `tinyModel` as a directory of weights, which the engine converts: config, vocabulary, safetensors. */
export async function writeWeights(
  directory: string,
  { change = (same) => same, ...options }: WeightsOptions = {},
): Promise<string> {
  const { config, weights, vocabulary } = tinyModel(options);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.json'), JSON.stringify(formatBertConfig(config)));
  await writeFile(join(directory, 'vocab.txt'), vocabulary.join('\n'));
  await writeFile(join(directory, 'model.safetensors'), safetensorsOf(change(weights)));
  return directory;
}
