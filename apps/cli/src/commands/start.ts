import { hidePassword } from '@embedfarm/contract';
import type { Env } from '@embedfarm/service/env';
import { createLogger } from '@embedfarm/service/logger';
import { runService, type Service } from '@embedfarm/service/run-service';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { Command } from 'commander';
import { EMBEDDED_MODEL } from '../embedded-model-name.ts';
import { embeddingsTable } from '../embeddings-table.ts';
import { fetchSource } from '../fetch-source.ts';
import { LocalFarm } from '../local-farm.ts';
import { meaninglessNote } from '../meaningless-note.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { whatNext } from '../what-next.ts';

const FLAGS: readonly FlagName[] = ['modelDir', 'hubUrl', 'offline', 'redis', 'workers'];

const SENTENCES = ['First do it', 'then do it right', 'then do it better'];

export function startCommand(): Command {
  const command = new Command('start')
    .description('Run a whole farm in one terminal: Redis where none is here, workers, and the dashboard.')
    .option('--once', 'encode three sentences, print what came out, and leave nothing running')
    .action(async ({ once = false }: { once?: boolean }) => {
      const given = readSettings(command, FLAGS);
      // Workers inherit the level: three sentences need no log.
      if (once) process.env['EMBEDFARM_LOG_LEVEL'] ||= 'warn';
      const logger = createLogger({ name: 'start', level: once ? 'warn' : given.logLevel });
      process.exitCode = await runService(
        async (signal): Promise<Service> => {
          const settings = { ...given, model: await fetchModel(given, signal) };
          const farm = await LocalFarm.open({ settings, dashboard: !once, logger, print }, signal);
          if (once) {
            return { closed: encodeOnce(farm, signal), close: (options) => farm.close(options) };
          }
          print(whatNext(farm));
          return farm;
        },
        { logger },
      );
    });
  return addFlags(command, FLAGS);
}

/** A hub's model is here, and pinned to its commit, before workers start: they download nothing, and serve the same. */
async function fetchModel(settings: Env, signal: AbortSignal): Promise<string> {
  const { model = EMBEDDED_MODEL } = settings;
  if (model === EMBEDDED_MODEL) return model;
  return (await fetchSource(model, settings, signal)).identity ?? model;
}

async function encodeOnce({ redis, registration }: LocalFarm, signal: AbortSignal): Promise<void> {
  const { model } = registration;
  print(`Redis: ${hidePassword(redis.url)}`);
  const farm = await EmbeddingFarm.connect({ redis: redis.url }, { signal });
  try {
    const embeddings = await farm.encode(SENTENCES, { model, signal });
    print(embeddingsTable(SENTENCES, embeddings));
    const note = meaninglessNote([registration], model);
    if (note !== undefined) print(note);
  } finally {
    await farm.close();
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
