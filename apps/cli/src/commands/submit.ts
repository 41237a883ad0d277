import type { SubmittedRequest } from '@embedfarm/sdk';
import { Command, Option } from 'commander';
import { addEncodeFlags, readEncodeFlags, readTextForm } from '../encode-flags.ts';
import { producerModel } from '../producer-model.ts';
import { ProgressBar } from '../progress-bar.ts';
import { peekTexts, readTexts, textsFormat, type TextsFormat } from '../read-texts.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { awaitRequest } from '../await-request.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['label', 'modelName', 'redis'];

interface SubmitFlags {
  readonly inputFormat?: TextsFormat;
  readonly webhook?: string;
  readonly wait?: true;
}

export function submitCommand(): Command {
  const command = new Command('submit')
    .description('Enqueue texts and print the id of the request; its vectors are kept for a day.')
    .argument('<file>', 'texts, one a line, or JSONL; - for stdin')
    .addOption(
      new Option(
        '--input-format <format>',
        'how the file holds texts (default: jsonl for .jsonl, else lines)',
      ).choices(['lines', 'jsonl']),
    )
    .option('--webhook <url>', "where the request's end is posted to, signed")
    .option('--wait', 'wait for the end')
    .action(async (file: string, { inputFormat = textsFormat(file), webhook, wait }: SubmitFlags) => {
      try {
        const settings = readSettings(command, FLAGS);
        const { label } = settings;
        const texts = await peekTexts(readTexts(file, inputFormat, readTextForm(command)), file);
        await withFarm(settings.redis, async (farm, signal) => {
          const bar = new ProgressBar('texts sent');
          const request = await farm.submit(texts, {
            ...producerModel(settings),
            ...readEncodeFlags(command),
            ...(label === undefined ? {} : { label }),
            ...(webhook === undefined ? {} : { webhook }),
            signal,
            onProgress: (progress) => bar.show(progress),
          });
          await filled(request).finally(() => bar.clear());
          process.stdout.write(`${request.id}\n`);
          if (wait) await awaitRequest(request, signal);
        });
      } finally {
        // What is left of it may never come, and would keep the process alive.
        if (file === '-') process.stdin.destroy();
      }
    });
  return addFlags(addEncodeFlags(command), FLAGS);
}

/** A file that cannot be read to its end is not encoded in part. */
async function filled(request: SubmittedRequest): Promise<void> {
  try {
    await request.filled;
  } catch (thrown) {
    await request.cancel().catch(() => undefined);
    throw thrown;
  }
}
