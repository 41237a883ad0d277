import { createLogger } from '@embedfarm/service/logger';
import type { Env } from '@embedfarm/service/env';
import { runService } from '@embedfarm/service/run-service';
import { Command } from 'commander';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { DEFAULT_REDIS_URL } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = [
  'gatewayPort',
  'redis',
  'gatewayModel',
  'gatewayKeys',
  'corsOrigins',
  'bertClient',
  'bertPortIn',
  'bertPortOut',
  'bertHost',
  'bertShowTokens',
  'bertAllowTermination',
];

export function gatewayCommand(): Command {
  const command = new Command('gateway')
    .description("Serve HTTP: OpenAI's embeddings, TEI's, bert-as-service's, and the farm's own.")
    .action(async () => {
      const settings = readSettings(command, FLAGS);
      const { redis, gatewayPort, host, name, gatewayKeys, corsOrigins, logLevel } = settings;
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
            ...(settings.bertClient === true ? { bertClient: bertClient(settings) } : {}),
            logger,
          });
          process.stdout.write(`Gateway: ${gateway.url}\n`);
          const { portIn, portOut } = gateway.bertClient ?? {};
          if (portIn !== undefined) process.stdout.write(`BertClient: port ${portIn}, port_out ${portOut}\n`);
          return gateway;
        },
        { logger },
      );
    });
  return addFlags(command, FLAGS);
}

/** Options of the ports of ZeroMQ, those that are said. */
function bertClient(settings: Env): object {
  const { bertPortIn, bertPortOut, bertHost, bertShowTokens, bertAllowTermination } = settings;
  return {
    ...(bertPortIn === undefined ? {} : { portIn: bertPortIn }),
    ...(bertPortOut === undefined ? {} : { portOut: bertPortOut }),
    ...(bertHost === undefined ? {} : { host: bertHost }),
    ...(bertShowTokens === undefined ? {} : { showTokens: bertShowTokens }),
    ...(bertAllowTermination === undefined ? {} : { allowTermination: bertAllowTermination }),
  };
}
