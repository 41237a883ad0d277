import { convertModel, type ConvertedModel } from '@embedfarm/checkpoint/convert';
import type { convertToInt8, ConvertedInt8 } from '@embedfarm/worker/convert-int8';
import { Command } from 'commander';
import { fetchSource } from '../fetch-source.ts';
import { ProgressBar } from '../progress-bar.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { untilInterrupted } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = [
  'pooling',
  'poolingLayers',
  'dtype',
  'normalize',
  'noNormalize',
  'cased',
  'maxSeqLen',
  'bertAsServiceDefaults',
  'hubUrl',
  'offline',
];

const BERT_AS_SERVICE = {
  pooling: 'mean',
  poolingLayers: [-2],
  maxSequenceLength: 25,
  normalize: false,
} as const;

export function convertCommand(): Command {
  const command = new Command('convert')
    .description('Write a pretrained encoder as a model directory of the farm, in the fastest form.')
    .argument(
      '<source>',
      "a directory with Google's bert_model.ckpt.*, or with model.safetensors of a BERT, RoBERTa, DistilBERT or MPNet; or org/name[@revision] on the hub",
    )
    .argument('<out>', 'the directory to write; it must not exist')
    .option('--checkpoint <prefix>', 'prefix of the TensorFlow checkpoint, where it is not bert_model.ckpt')
    .action(async (source: string, out: string, { checkpoint }: { checkpoint?: string }) => {
      const settings = readSettings(command, FLAGS);
      const { pooling, poolingLayers, dtype, normalize, cased, maxSequenceLength } = settings;
      const { bertAsServiceDefaults } = settings;
      const bar = new ProgressBar('tensors');
      const convert: (...call: Parameters<typeof convertModel>) => Promise<ConvertedModel | ConvertedInt8> =
        dtype === 'int8' ? await loadInt8() : convertModel;
      const converted = await untilInterrupted(async (signal) => {
        const { directory } = await fetchSource(source, settings, signal);
        return await convert(directory, out, {
          // What somebody says stands before the defaults that he asks for.
          ...(bertAsServiceDefaults === true && BERT_AS_SERVICE),
          ...(pooling !== undefined && { pooling }),
          ...(poolingLayers !== undefined && { poolingLayers }),
          ...(normalize !== undefined && { normalize }),
          ...(cased !== undefined && { lowercase: !cased }),
          ...(maxSequenceLength !== undefined && { maxSequenceLength }),
          ...(checkpoint !== undefined && { checkpoint }),
          signal,
          onProgress: (progress) => bar.show(progress),
        });
      }).finally(() => bar.clear());
      process.stdout.write(`${converted.directory}\n${describe(converted)}\n`);
      if ('verdict' in converted) process.stdout.write(`${describeVerdict(converted)}\n`);
    });
  return addFlags(command, FLAGS);
}

/** It runs the model, and only what does that loads the runtime. */
async function loadInt8(): Promise<typeof convertToInt8> {
  return (await import('@embedfarm/worker/convert-int8')).convertToInt8;
}

function describeVerdict({ verdict: { minCosine, meanCosine, texts } }: ConvertedInt8): string {
  return `int8: cosine to float32 ${minCosine.toFixed(4)} at worst, ${meanCosine.toFixed(4)} on average, over ${texts} texts`;
}

function describe(converted: Awaited<ReturnType<typeof convertModel>>): string {
  const { format, layers, poolingLayers, pooling, normalize, dimensions, lowercase, casingFrom } = converted;
  const blocks = poolingLayers.map((layer) => layer + 1).join(', ');
  return [
    `from ${format.replace('_', ' ')}: ${layers} blocks, ${pooling} of block ${blocks}, ${dimensions} dimensions`,
    `${normalize ? 'normalized' : 'not normalized'}, ${lowercase ? 'lower case' : 'cased'} (by ${casingFrom.replace('_', ' ')})`,
  ].join(', ');
}
