import { Command } from 'commander';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['redis'];

export function retryCommand(): Command {
  const command = new Command('retry')
    .description('Submit the chunks of a request that failed once more, as a new request; prints its id.')
    .argument('<id>', 'id of a request that has ended')
    .action(async (id: string) => {
      const settings = readSettings(command, FLAGS);
      await withFarm(settings.redis, async (farm, signal) => {
        const { requestId, ranges } = await farm.request(id).retry({ signal });
        const texts = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
        process.stderr.write(`${texts} texts of ${id} are submitted again\n`);
        process.stdout.write(`${requestId}\n`);
      });
    });
  return addFlags(command, FLAGS);
}
