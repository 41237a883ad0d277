import { createLogger } from '@embedfarm/service/logger';
import { runService } from '@embedfarm/service/run-service';
import { Command } from 'commander';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { DEFAULT_REDIS_URL } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['port', 'host', 'redis'];

export function dashboardCommand(): Command {
  const command = new Command('dashboard')
    .description(
      'Serve the page of the farm. With EMBEDFARM_DASHBOARD_KEY it asks for that key, and lets who has it cancel and retry.',
    )
    .action(async () => {
      const { redis, port, host, dashboardKey, logLevel } = readSettings(command, FLAGS);
      const logger = createLogger({ name: 'dashboard', level: logLevel });
      process.exitCode = await runService(
        async () => {
          const { openDashboard } = await import('@embedfarm/dashboard/dashboard');
          const dashboard = await openDashboard({
            redis: redis ?? DEFAULT_REDIS_URL,
            ...(port === undefined ? {} : { port }),
            ...(host === undefined ? {} : { host }),
            key: dashboardKey,
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
