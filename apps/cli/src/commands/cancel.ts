import { Command } from 'commander';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['redis'];

export function cancelCommand(): Command {
  const command = new Command('cancel')
    .description('Take requests back: what waits is removed, what is done is kept.')
    .argument('<id...>', 'ids of requests')
    .action(async (ids: string[]) => {
      const settings = readSettings(command, FLAGS);
      await withFarm(settings.redis, async (farm) => {
        for (const id of ids) {
          const { state, done, texts } = await farm.request(id).cancel();
          process.stdout.write(`${id} ${state}, ${done} of ${texts} texts are done\n`);
        }
      });
    });
  return addFlags(command, FLAGS);
}
