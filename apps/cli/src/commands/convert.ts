import { convertModel } from '@embedfarm/checkpoint/convert';
import { Command } from 'commander';
import { ProgressBar } from '../progress-bar.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { untilInterrupted } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = [
  'pooling',
  'poolingLayers',
  'normalize',
  'noNormalize',
  'cased',
  'bertAsServiceDefaults',
];

export function convertCommand(): Command {
  const command = new Command('convert')
    .description('Write a pretrained encoder as a model directory of the farm, in the fastest form.')
    .argument(
      '<source>',
      "a directory: Google's bert_model.ckpt.*, or model.safetensors of a BERT, RoBERTa, DistilBERT or MPNet",
    )
    .argument('<out>', 'the directory to write; it must not exist')
    .option('--checkpoint <prefix>', 'prefix of the TensorFlow checkpoint, where it is not bert_model.ckpt')
    .action(async (source: string, out: string, { checkpoint }: { checkpoint?: string }) => {
      const { pooling, poolingLayers, normalize, cased, bertAsServiceDefaults } = readSettings(
        command,
        FLAGS,
      );
      const bar = new ProgressBar('tensors');
      const converted = await untilInterrupted((signal) =>
        convertModel(source, out, {
          // What somebody says stands before the defaults that he asks for.
          ...(bertAsServiceDefaults === true && { pooling: 'mean', poolingLayers: [-2], normalize: false }),
          ...(pooling !== undefined && { pooling }),
          ...(poolingLayers !== undefined && { poolingLayers }),
          ...(normalize !== undefined && { normalize }),
          ...(cased !== undefined && { lowercase: !cased }),
          ...(checkpoint !== undefined && { checkpoint }),
          signal,
          onProgress: (progress) => bar.show(progress),
        }),
      ).finally(() => bar.clear());
      process.stdout.write(`${converted.directory}\n${describe(converted)}\n`);
    });
  return addFlags(command, FLAGS);
}

function describe(converted: Awaited<ReturnType<typeof convertModel>>): string {
  const { format, layers, poolingLayers, pooling, normalize, dimensions, lowercase, casingFrom } = converted;
  const blocks = poolingLayers.map((layer) => layer + 1).join(', ');
  return [
    `from ${format.replace('_', ' ')}: ${layers} blocks, ${pooling} of block ${blocks}, ${dimensions} dimensions`,
    `${normalize ? 'normalized' : 'not normalized'}, ${lowercase ? 'lower case' : 'cased'} (by ${casingFrom.replace('_', ' ')})`,
  ].join(', ');
}
