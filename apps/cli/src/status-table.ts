import type { FarmStatus } from '@embedfarm/sdk';
import { alignColumns } from './align-columns.ts';

/** The farm at one moment, for eyes. */
export function statusTable({ models, workers, devices, backlog, clients, cache }: FarmStatus): string {
  const lines = [
    ...section(
      'models',
      models.map((model) => [
        model.model,
        `${model.dimensions} dimensions`,
        model.dtype,
        `${model.workers} workers`,
        promptsOf(model),
        model.meaningful ? '' : 'random weights: no meaning',
      ]),
    ),
    ...section(
      'workers',
      workers.map((worker) => [
        worker.workerId,
        `${worker.host}/${worker.pid}`,
        worker.model,
        worker.state,
        `${worker.textsPerSecond.toFixed(0)} texts/s`,
        `${worker.tokensPerSecond.toFixed(0)} tokens/s`,
      ]),
    ),
    ...section(
      'devices',
      devices.map((device) => [
        device.name,
        device.workerId,
        `${(device.busyShare * 100).toFixed(0)} % busy`,
        `${device.slots} slots`,
        `${device.tokenBudget} tokens a batch`,
        device.calibratedTokensPerSecond === undefined
          ? ''
          : `measured ${device.calibratedTokensPerSecond.toFixed(0)} tokens/s`,
      ]),
    ),
    `backlog: ${backlog.interactive} interactive, ${backlog.bulk} bulk jobs`,
    `clients: ${clients}`,
    ...cacheLine(cache),
  ];
  return `${lines.join('\n')}\n`;
}

/** Nothing where nobody asks for the cache. */
function cacheLine({ lookups, hits }: FarmStatus['cache']): string[] {
  if (lookups === 0) return [];
  const share = ((hits / lookups) * 100).toFixed(0);
  return [`cache: ${hits} of ${lookups} texts (${share} %) in the last minute`];
}

function promptsOf({ promptNames = [], defaultPromptName }: FarmStatus['models'][number]): string {
  const names = promptNames.map((name) => (name === defaultPromptName ? `${name} (default)` : name));
  return names.length === 0 ? '' : `prompts: ${names.join(', ')}`;
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [`${title}: none`];
  return [`${title}:`, ...alignColumns(rows).map((row) => `  ${row}`)];
}
