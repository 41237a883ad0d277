import type { SeenWorker } from '../src/board-shape.ts';
import type { BoardView } from './board-memory.ts';
import type { Cell, Row } from './keyed-rows.ts';
import { ago, bytes, percent, shortNumber } from './numerals.ts';

type Device = SeenWorker['devices'][number];

/** In the order they are told of: the silent ones first. */
export function workerRows({ status }: Pick<BoardView, 'status'>): readonly Row[] {
  const dtypes = new Map(status?.models.map(({ model, dtype }) => [model, dtype]));
  return (status?.workers ?? []).map((worker) => {
    const { workerId, host, pid, model, fingerprint, state, devices, lastSeenMs } = worker;
    const isSilent = state === 'silent';
    return {
      key: workerId,
      state,
      cells: [
        { text: host, small: `pid ${pid}`, title: workerId },
        { text: state, ...(state === 'running' ? {} : { tone: isSilent ? 'bad' : 'warn' }) },
        count(worker.textsPerSecond),
        count(worker.tokensPerSecond),
        { text: isSilent || devices.length === 0 ? '—' : percent(busyShare(devices)), number: true },
        { text: devicesText(devices), small: measuredText(devices) },
        {
          text: model,
          small: [dtypes.get(model), fingerprint.slice(0, 8)].filter(Boolean).join(' · '),
          title: model,
        },
        { text: budgetText(devices), number: true },
        { text: bytes(worker.residentBytes), number: true },
        { text: ago(lastSeenMs), number: true, ...(isSilent ? { tone: 'bad' } : {}) },
      ] satisfies Cell[],
    };
  });
}

/** `box-1:4711` of a worker's id, where it is one of ours. */
export function workerLabel(workerId: string): string {
  const [, host, pid] = /^(.+)-(\d+)-[0-9a-f]{8}$/.exec(workerId) ?? [];
  return host === undefined ? workerId : `${host}:${pid}`;
}

/** `cpu/0` to `cpu/7` and `cuda:0` as `8 × cpu, 1 × cuda`. */
export function devicesText(devices: readonly Pick<Device, 'name'>[]): string {
  const counts = new Map<string, number>();
  for (const { name } of devices) {
    const kind = name.split(/[/:]/u, 1)[0] ?? name;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, ofKind]) => `${ofKind} × ${kind}`).join(', ') || 'none';
}

/** What the devices can do together, where they were measured at the start. */
export function measuredText(devices: readonly Pick<Device, 'calibratedTokensPerSecond'>[]): string {
  const measured = devices.reduce((sum, device) => sum + (device.calibratedTokensPerSecond ?? 0), 0);
  return measured === 0 ? '' : `measured ${shortNumber(measured)} tokens/s`;
}

/** Most tokens of a batch: `256`, or from the least to the greatest. */
export function budgetText(devices: readonly Pick<Device, 'tokenBudget'>[]): string {
  const budgets = [...new Set(devices.map(({ tokenBudget }) => tokenBudget))].toSorted(
    (left, right) => left - right,
  );
  const [least, greatest] = [budgets[0], budgets.at(-1)];
  return least === greatest ? shortNumber(least) : `${shortNumber(least)}–${shortNumber(greatest)}`;
}

function busyShare(devices: readonly Device[]): number {
  return devices.reduce((sum, device) => sum + device.busyShare, 0) / devices.length;
}

function count(value: number): Cell {
  return { text: shortNumber(value), number: true };
}
