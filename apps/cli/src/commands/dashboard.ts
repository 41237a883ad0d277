import { createLogger } from '@embedfarm/service/logger';
import { runService } from '@embedfarm/service/run-service';
import { Command } from 'commander';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { DEFAULT_REDIS_URL } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['port', 'redis'];

export function dashboardCommand(): Command {
  const command = new Command('dashboard')
    .description('Serve the page with backlog and throughput.')
    .action(async () => {
      const { redis, port, host, logLevel } = readSettings(command, FLAGS);
      const logger = createLogger({ name: 'dashboard', level: logLevel });
      process.exitCode = await runService(
        async () => {
          const { openDashboard } = await import('@embedfarm/dashboard/dashboard');
          const dashboard = await openDashboard({
            redis: redis ?? DEFAULT_REDIS_URL,
            ...(port === undefined ? {} : { port }),
            ...(host === undefined ? {} : { host }),
            logger,
          });
          process.stdout.write(`Dashboard: ${dashboard.url}\n`);
          return dashboard;
        },
        { logger },
      );
    });
  return addFlags(command, FLAGS);
}
