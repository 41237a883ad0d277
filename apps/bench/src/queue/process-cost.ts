import type { MeasuredProcess } from '../measured-process.ts';
import type { Usage } from '../meter.ts';
import { readRedisInfo } from '../redis-info.ts';

/** CPU seconds by process; processes of one name together. */
export type CpuSeconds = Readonly<Record<string, number>>;

interface MeterCalls {
  meterBegin: { request: object; answer: null };
  meterRead: { request: object; answer: Usage };
}

/** @returns what reads the CPU seconds since now: Redis, and the processes by their names. */
export async function beginCost(
  redisPort: number,
  processes: Readonly<Record<string, readonly MeasuredProcess<MeterCalls>[]>>,
): Promise<() => Promise<CpuSeconds>> {
  const before = await readRedisInfo(redisPort);
  await Promise.all(
    Object.values(processes)
      .flat()
      .map((process) => process.call('meterBegin', {})),
  );
  return async () => {
    const after = await readRedisInfo(redisPort);
    const seconds: Record<string, number> = { redis: after.cpuSeconds - before.cpuSeconds };
    for (const [name, named] of Object.entries(processes)) {
      const usages = await Promise.all(named.map((process) => process.call('meterRead', {})));
      seconds[name] = usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    }
    return seconds;
  };
}
