import { ago, bytes, percent, shortNumber } from './numerals.js';

/** Two heartbeats of 5 s were missed. */
const LATE_MS = 11_000;

/** `box-2` before `box-10`. */
const byName = new Intl.Collator('en', { numeric: true });

export function modelRows(models) {
  return models.map((model) => ({
    key: model.model,
    cells: [
      { text: model.model, small: model.meaningful ? '' : 'random weights: its vectors carry no meaning' },
      { text: model.workers === 0 ? 'none' : String(model.workers), number: true, warn: model.workers === 0 },
      count(model.backlog.interactive),
      count(model.backlog.bulk),
      { text: String(model.dimensions), number: true },
      { text: String(model.maxSequenceLength), number: true },
      model.normalize ? `${model.pooling}, normalized` : model.pooling,
      model.fingerprint.slice(0, 8),
    ],
  }));
}

export function workerRows(workers) {
  return workers
    .toSorted((left, right) => byName.compare(left.host, right.host) || left.pid - right.pid)
    .map((worker) => ({
      key: worker.workerId,
      cells: [
        worker.host,
        { text: String(worker.pid), number: true },
        worker.model,
        { text: worker.state, warn: worker.state !== 'running' },
        { text: devicesText(worker.devices), small: measuredText(worker.devices) },
        { text: worker.devices.length === 0 ? '–' : percent(busyShare(worker.devices)), number: true },
        count(worker.textsPerSecond),
        count(worker.tokensPerSecond),
        { text: bytes(worker.residentBytes), number: true },
        { text: ago(worker.lastSeenMs / 1_000), number: true, warn: worker.lastSeenMs > LATE_MS },
      ],
    }));
}

export function clientsRows(byClients) {
  return byClients.map((point) => ({
    key: point.clients,
    cells: [point.clients, point.textsPerSecond, point.textsPerSecondPerClient, point.seconds].map(count),
  }));
}

/** `cpu/0` to `cpu/7` and `cuda:0` as `8 × cpu, 1 × cuda`. */
export function devicesText(devices) {
  const counts = new Map();
  for (const { name } of devices) {
    const kind = name.split(/[/:]/u, 1)[0];
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, devicesOfKind]) => `${devicesOfKind} × ${kind}`).join(', ') || 'none';
}

/** What the devices can do together, where they were measured at the start. */
export function measuredText(devices) {
  const measured = devices.reduce((sum, device) => sum + (device.calibratedTokensPerSecond ?? 0), 0);
  return measured === 0 ? '' : `measured ${shortNumber(measured)} tokens/s`;
}

function busyShare(devices) {
  return devices.reduce((sum, device) => sum + device.busyShare, 0) / devices.length;
}

function count(value) {
  return { text: shortNumber(value), number: true };
}
