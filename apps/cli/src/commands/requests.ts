import { REQUEST_STATES, type RequestState } from '@embedfarm/sdk';
import { Command, InvalidArgumentError, Option } from 'commander';
import { requestsTable } from '../requests-table.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['label', 'redis'];
const MAX_LIMIT = 10_000;

export function requestsCommand(): Command {
  const command = new Command('requests')
    .description('Print the submitted requests, the newest first.')
    .addOption(new Option('--state <state>', 'only those in this state').choices(REQUEST_STATES))
    .option('--limit <n>', 'at most so many', parseLimit, 20)
    .option('--json', 'print one JSON array')
    .action(async ({ state, limit, json }: { state?: RequestState; limit: number; json?: true }) => {
      const settings = readSettings(command, FLAGS);
      const { label } = settings;
      await withFarm(settings.redis, async (farm) => {
        const requests = await farm.requests({ label, state, limit });
        process.stdout.write(json ? `${JSON.stringify(requests)}\n` : requestsTable(requests, Date.now()));
      });
    });
  return addFlags(command, FLAGS);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LIMIT}.`);
}
