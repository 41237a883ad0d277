import type { ModelStatus } from '@embedfarm/farm/inspect';
import type { BoardState } from './board-state.ts';
import type { ShownStatus, SeenWorker } from './board-shape.ts';

/** Most rows that a viewer is told of each second; the page shows a quarter of them. */
const MAX_WORKERS = 100;
const MAX_MODELS = 80;
const MAX_DEVICES = 256;
const MAX_NAME_LENGTH = 255;
const MAX_DEVICE_NAME_LENGTH = 40;

/** `box-2` before `box-10`. */
const byName = new Intl.Collator('en', { numeric: true });

/** The farm as a viewer is told of it each second: all of the counts, and so many rows, whatever it holds. */
export function shownStatus({ status, workers }: Pick<BoardState, 'status' | 'workers'>): ShownStatus | null {
  if (!status) return null;
  const { models, backlog, clients, admission, cache, openRequests, webhooksDue } = status;
  return {
    models: models.toSorted(byWork).slice(0, MAX_MODELS).map(shownModel),
    backlog,
    clients,
    admission,
    cache,
    openRequests,
    webhooksDue,
    allModels: models.length,
    aliveWorkers: status.workers.length,
    busyWorkers: status.workers.filter(({ devices }) => devices.some(({ busyShare }) => busyShare > 0))
      .length,
    allWorkers: workers.length,
    workers: workers.toSorted(byState).slice(0, MAX_WORKERS).map(shownWorker),
  };
}

/** Those that are served, or asked for, before those that only are known; by name, so that no row moves in passing. */
function byWork(left: ModelStatus, right: ModelStatus): number {
  return Number(isAtWork(right)) - Number(isAtWork(left)) || byName.compare(left.model, right.model);
}

function isAtWork({ workers, backlog }: ModelStatus): boolean {
  return workers > 0 || backlog.interactive + backlog.bulk > 0;
}

/** The silent ones first, then by host. */
function byState(left: SeenWorker, right: SeenWorker): number {
  return (
    Number(right.state === 'silent') - Number(left.state === 'silent') ||
    byName.compare(left.host, right.host) ||
    left.pid - right.pid
  );
}

function shownWorker(worker: SeenWorker): SeenWorker {
  return {
    ...worker,
    host: worker.host.slice(0, MAX_NAME_LENGTH),
    fingerprint: worker.fingerprint.slice(0, MAX_NAME_LENGTH),
    devices: worker.devices
      .slice(0, MAX_DEVICES)
      .map((device) => ({ ...device, name: device.name.slice(0, MAX_DEVICE_NAME_LENGTH) })),
  };
}

/** Without what its prompts are called, of which there may be many. */
function shownModel({ promptNames: _names, defaultPromptName: _name, ...model }: ModelStatus): ModelStatus {
  return { ...model, pooling: model.pooling.slice(0, MAX_NAME_LENGTH) };
}
