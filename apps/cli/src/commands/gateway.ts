import { createLogger } from '@embedfarm/service/logger';
import { runService } from '@embedfarm/service/run-service';
import { Command } from 'commander';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { DEFAULT_REDIS_URL } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['gatewayPort', 'redis', 'gatewayModel', 'gatewayKeys', 'corsOrigins'];

export function gatewayCommand(): Command {
  const command = new Command('gateway')
    .description("Serve HTTP: OpenAI's embeddings, TEI's, bert-as-service's, and the farm's own.")
    .action(async () => {
      const { redis, gatewayPort, host, name, gatewayKeys, corsOrigins, logLevel } = readSettings(
        command,
        FLAGS,
      );
      const logger = createLogger({ name: 'gateway', level: logLevel });
      process.exitCode = await runService(
        async () => {
          const { openGateway } = await import('@embedfarm/gateway/gateway');
          const { readApiKeys } = await import('@embedfarm/gateway/keys/api-keys');
          const gateway = await openGateway({
            redis: redis ?? DEFAULT_REDIS_URL,
            ...(gatewayPort === undefined ? {} : { port: gatewayPort }),
            ...(host === undefined ? {} : { host }),
            ...(name === undefined ? {} : { model: name }),
            ...(gatewayKeys === undefined ? {} : { keys: readApiKeys(gatewayKeys) }),
            ...(corsOrigins === undefined ? {} : { corsOrigins }),
            logger,
          });
          process.stdout.write(`Gateway: ${gateway.url}\n`);
          return gateway;
        },
        { logger },
      );
    });
  return addFlags(command, FLAGS);
}
