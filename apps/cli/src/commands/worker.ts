import { FarmError } from '@embedfarm/contract';
import { createLogger, type Logger } from '@embedfarm/service/logger';
import type { Env } from '@embedfarm/service/env';
import { runService } from '@embedfarm/service/run-service';
import type { RunningWorker } from '@embedfarm/worker/worker';
import { Command } from 'commander';
import { EMBEDDED_MODEL } from '../embedded-model-name.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { DEFAULT_REDIS_URL } from '../with-farm.ts';
import { tellStart } from '../worker-start.ts';

const FLAGS: readonly FlagName[] = [
  'modelDir',
  'name',
  'pooling',
  'poolingLayers',
  'dtype',
  'verify',
  'normalize',
  'noNormalize',
  'cased',
  'maxSeqLen',
  'maskClsSep',
  'bertAsServiceDefaults',
  'devices',
  'slots',
  'tokenBudget',
  'hubUrl',
  'offline',
  'calibrate',
  'noCalibrate',
  'lowLatency',
  'noLowLatency',
  'webhookHosts',
  'metricsPort',
  'otel',
  'redis',
];

export function workerCommand(): Command {
  const command = new Command('worker')
    .description('Encode texts of the farm. SIGTERM drains.')
    .action(async () => {
      const settings = readSettings(command, FLAGS);
      const logger = createLogger({ name: 'worker', level: settings.logLevel });
      let told = false;
      try {
        process.exitCode = await runService(
          async (signal) => {
            try {
              const worker = await open(settings, logger, signal);
              await tellStart(worker.registration);
              return worker;
            } catch (thrown) {
              told = await tellStart(FarmError.from(thrown));
              throw thrown;
            }
          },
          { logger },
        );
      } catch (thrown) {
        // Who started us says it, once.
        if (!told) throw thrown;
        process.exitCode = 1;
      }
    });
  return addFlags(command, FLAGS);
}

async function open(settings: Env, logger: Logger, signal: AbortSignal): Promise<RunningWorker> {
  const { name, devices, slots, tokenBudget, calibrate, lowLatency, cacheDir, pooling, poolingLayers } =
    settings;
  const { dtype, verify, normalize, cased, maxSequenceLength, maskClsSep, bertAsServiceDefaults } = settings;
  const { hubUrl, hubToken, offline, webhookHosts, webhookSecrets, metricsPort, host, otel } = settings;
  const options = {
    redis: settings.redis ?? DEFAULT_REDIS_URL,
    model: settings.model ?? EMBEDDED_MODEL,
    ...(name === undefined ? {} : { name }),
    ...(devices === undefined ? {} : { devices }),
    ...(slots === undefined ? {} : { slots }),
    ...(tokenBudget === undefined ? {} : { tokenBudget }),
    ...(calibrate === undefined ? {} : { calibrate }),
    ...(lowLatency === undefined ? {} : { lowLatency }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(pooling === undefined ? {} : { pooling }),
    ...(poolingLayers === undefined ? {} : { poolingLayers }),
    ...(dtype === undefined ? {} : { dtype }),
    ...(verify === undefined ? {} : { verify }),
    ...(normalize === undefined ? {} : { normalize }),
    ...(cased === undefined ? {} : { cased }),
    ...(maxSequenceLength === undefined ? {} : { maxSequenceLength }),
    ...(maskClsSep === undefined ? {} : { maskClsSep }),
    ...(bertAsServiceDefaults === undefined ? {} : { bertAsServiceDefaults }),
    ...(hubUrl === undefined ? {} : { hubUrl }),
    ...(hubToken === undefined ? {} : { hubToken }),
    ...(offline === undefined ? {} : { offline }),
    ...(webhookHosts === undefined ? {} : { webhookHosts }),
    ...(webhookSecrets === undefined ? {} : { webhookSecrets }),
    ...(metricsPort === undefined ? {} : { metricsPort }),
    ...(host === undefined ? {} : { metricsHost: host }),
    ...(otel === undefined ? {} : { otel }),
  };
  // Only a worker loads the runtime: the other commands must not wait for it.
  const { openWorker } = await import('@embedfarm/worker/worker');
  return openWorker(options, { logger, signal });
}
