import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

/** Cores that this process may use: its CPU affinity, and the quota of its cgroup, rounded down, at least 1. */
export async function allowedCores(): Promise<number> {
  const quotas = await Promise.all([quotaOfVersion2(), quotaOfVersion1()]);
  const cores = Math.min(availableParallelism(), ...quotas.filter((quota) => quota !== undefined));
  return Math.max(1, Math.floor(cores));
}

/** `cpu.max` holds `<quota> <period>` in µs, or `max <period>`: https://docs.kernel.org/admin-guide/cgroup-v2.html */
async function quotaOfVersion2(): Promise<number | undefined> {
  const [quota, period] = (await read('/sys/fs/cgroup/cpu.max')).split(/\s+/).map(Number);
  return coresOf(quota, period);
}

/** https://docs.kernel.org/scheduler/sched-bwc.html: a quota of -1 is none. */
async function quotaOfVersion1(): Promise<number | undefined> {
  const quota = Number((await read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')) || Number.NaN);
  const period = Number((await read('/sys/fs/cgroup/cpu/cpu.cfs_period_us')) || Number.NaN);
  return coresOf(quota, period);
}

function coresOf(quota = Number.NaN, period = Number.NaN): number | undefined {
  return quota > 0 && period > 0 ? quota / period : undefined;
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}
