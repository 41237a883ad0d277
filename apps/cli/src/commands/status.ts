import { readFarmStatus } from '@embedfarm/sdk';
import { Command } from 'commander';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { statusTable } from '../status-table.ts';
import { CONNECT_TIMEOUT_MS, DEFAULT_REDIS_URL, untilInterrupted } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['redis'];

export function statusCommand(): Command {
  const command = new Command('status')
    .description('Print models, workers, devices, backlog by lane, and clients.')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { json?: true }) => {
      const settings = readSettings(command, FLAGS);
      await untilInterrupted(async (signal) => {
        const redis = settings.redis ?? DEFAULT_REDIS_URL;
        const status = await readFarmStatus({ redis, timeoutMs: CONNECT_TIMEOUT_MS }, { signal });
        process.stdout.write(json ? `${JSON.stringify(status)}\n` : statusTable(status));
      });
    });
  return addFlags(command, FLAGS);
}
