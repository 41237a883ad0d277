import { FarmError } from '@embedfarm/contract';
import { Command, Option } from 'commander';
import { ProgressBar } from '../progress-bar.ts';
import { rowFormat, ROW_FORMATS, type RowFormat } from '../rows/row-format.ts';
import { writeRows } from '../rows/write-rows.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['redis'];
/** Somebody watches, and may press Ctrl-C: a request may wait for its workers as long as they like. */
const MAX_WAIT_MS = 2_147_483_647;

interface ResultFlags {
  readonly out?: string;
  readonly format?: RowFormat;
  readonly consume?: true;
}

export function resultCommand(): Command {
  const command = new Command('result')
    .description('Write the vectors of a request, in the order of its texts, while it runs and to its end.')
    .argument('<id>', 'what submit printed')
    .option('--out <file>', 'where to (default: stdout)')
    .addOption(
      new Option('--format <format>', 'how (default: by the name of the file, else jsonl)').choices(
        ROW_FORMATS,
      ),
    )
    .option('--consume', 'delete the vectors from the farm once they are written')
    .action(async (id: string, { out, format = rowFormat(out), consume }: ResultFlags) => {
      const settings = readSettings(command, FLAGS);
      await withFarm(settings.redis, async (farm, signal) => {
        const bar = new ProgressBar();
        const request = farm.request(id);
        let { texts } = await request.status();
        const chunks = request.chunks({
          signal,
          timeoutMs: MAX_WAIT_MS,
          onProgress: ({ total }) => (texts = total),
        });
        const onText = (done: number): void => bar.show({ done, total: Math.max(done, texts) });
        const { failed, failure } = await writeRows(chunks, { out, format, onText }).finally(() =>
          bar.clear(),
        );
        const { state } = await request.status();
        // Only now all of it is where it was wanted.
        if (consume) await request.discard();
        if (state === 'cancelled' || state === 'incomplete') {
          throw new FarmError('texts_failed', `request ${id} is ${state}; what was done is written`);
        }
        if (failure !== undefined) {
          const { index, code, message } = failure;
          throw new FarmError(
            'texts_failed',
            `${failed} texts failed, first texts[${index}]: [${code}] ${message}`,
          );
        }
      });
    });
  return addFlags(command, FLAGS);
}
