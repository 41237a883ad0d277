import { createReadStream } from 'node:fs';
import { FarmError } from '@embedfarm/contract';
import { Command } from 'commander';
import { producerModel } from '../producer-model.ts';
import { ProgressBar } from '../progress-bar.ts';
import { readLines } from '../read-lines.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['label', 'modelName', 'redis'];

export function submitCommand(): Command {
  const command = new Command('submit')
    .description('Enqueue texts and print the id of the request; its vectors are kept for a day.')
    .argument('<file>', 'texts, one a line; - for stdin')
    .action(async (file: string) => {
      const settings = readSettings(command, FLAGS);
      const texts = await readTexts(file);
      const { label } = settings;
      await withFarm(settings.redis, async (farm, signal) => {
        const bar = new ProgressBar();
        const request = await farm
          .submit(texts, {
            ...producerModel(settings),
            ...(label === undefined ? {} : { label }),
            signal,
            onProgress: (progress) => bar.show(progress),
          })
          .finally(() => bar.clear());
        process.stdout.write(`${request.id}\n`);
      });
    });
  return addFlags(command, FLAGS);
}

async function readTexts(file: string): Promise<string[]> {
  if (file === '-') return readLines(process.stdin, 'stdin');
  try {
    return await readLines(createReadStream(file), file);
  } catch (cause) {
    if (cause instanceof FarmError) throw cause;
    throw new FarmError('invalid_argument', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
