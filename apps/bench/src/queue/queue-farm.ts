import { setTimeout as rest } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import type { RedisServer } from '@embedfarm/service/start-redis-server';
import { withBenchRedis } from '../bench-redis.ts';
import { epochMs } from '../closed-loop.ts';
import type { DeviceWork } from '../device-work.ts';
import { MeasuredProcess } from '../measured-process.ts';
import { latencyOf, type Latency } from '../percentile.ts';
import { readRedisInfo } from '../redis-info.ts';
import type { RunControl } from '../run-bench.ts';
import type { BareCalls, BareDrain } from './bare-runner.ts';
import type { QueueClientCalls } from './client-runner.ts';
import { beginCost, type CpuSeconds } from './process-cost.ts';
import type { DeviceCost } from './timed-device.ts';

export interface QueueFarmOptions {
  readonly cost: DeviceCost;
  readonly clientProcesses: number;
  readonly clientsPerProcess: number;
}

/** What came of a load. */
export interface Rate {
  readonly perSecond: number;
  readonly cpuSecondsPerThousand: CpuSeconds;
}

export interface CallsRate extends Rate {
  readonly latency: Latency;
}

/** How many clients, and the calls of one text that each has under way. */
export interface Callers {
  readonly clients: number;
  readonly callsAtOnce: number;
}

/** Before what counts, and what counts. */
export interface LoadSeconds {
  readonly ramp: number;
  readonly seconds: number;
}

/** A farm with a timed device: one worker process, processes of SDK instances, one with BullMQ alone. */
export class QueueFarm {
  readonly clients: readonly MeasuredProcess<QueueClientCalls>[];
  readonly #redis: RedisServer;
  readonly #worker: MeasuredProcess;
  readonly #bare: MeasuredProcess<BareCalls>;
  readonly #clientsPerProcess: number;
  readonly #signal: AbortSignal;

  private constructor(
    redis: RedisServer,
    worker: MeasuredProcess,
    clients: readonly MeasuredProcess<QueueClientCalls>[],
    bare: MeasuredProcess<BareCalls>,
    { clientsPerProcess, signal }: { clientsPerProcess: number; signal: AbortSignal },
  ) {
    this.#redis = redis;
    this.#worker = worker;
    this.clients = clients;
    this.#bare = bare;
    this.#clientsPerProcess = clientsPerProcess;
    this.#signal = signal;
  }

  /** Runs with a farm on a Redis of its own. Nothing is left running. */
  static with<Result>(
    options: QueueFarmOptions,
    { say, signal }: RunControl,
    run: (farm: QueueFarm) => Promise<Result>,
  ): Promise<Result> {
    return withBenchRedis(say, async (server) => {
      const farm = await QueueFarm.#open(server, options, signal);
      try {
        return await run(farm);
      } finally {
        await farm.#close();
      }
    });
  }

  static async #open(
    server: RedisServer,
    options: QueueFarmOptions,
    signal: AbortSignal,
  ): Promise<QueueFarm> {
    const { cost, clientProcesses, clientsPerProcess } = options;
    const redis = server.url;
    const opened: { close(): Promise<void> }[] = [];
    const keep = async <Process extends { close(): Promise<void> }>(opening: Promise<Process>) => {
      const process = await opening;
      opened.push(process);
      return process;
    };
    try {
      const worker = await keep(MeasuredProcess.open('queue/device', { redis, cost }, signal));
      const bare = await keep(MeasuredProcess.open('queue/bare', { redis }, signal));
      const clients: MeasuredProcess<QueueClientCalls>[] = [];
      while (clients.length < clientProcesses) {
        const client = { redis, clients: clientsPerProcess };
        clients.push(await keep(MeasuredProcess.open('queue/client', client, signal)));
      }
      return new QueueFarm(server, worker, clients, bare, { clientsPerProcess, signal });
    } catch (thrown) {
      await Promise.all(opened.map((process) => process.close()));
      throw thrown;
    }
  }

  /** @throws FarmError `internal` where there is none. */
  client(index: number): MeasuredProcess<QueueClientCalls> {
    const client = this.clients[index];
    if (client === undefined) throw new FarmError('internal', `there is no process of clients ${index}`);
    return client;
  }

  /** Clients that call again as soon as they have an answer. What ends in the seconds after the ramp counts. */
  async calls(callers: Callers, { ramp, seconds }: LoadSeconds): Promise<CallsRate> {
    await this.startCalls(callers);
    await this.rest(ramp);
    const readCost = await this.beginCost();
    const fromMs = epochMs();
    await this.rest(seconds);
    const toMs = epochMs();
    const cost = await readCost();
    const { texts, latency } = await this.stopCalls({ fromMs, toMs });
    return { ...rateOf(texts, (toMs - fromMs) / 1_000, cost), latency };
  }

  async startCalls({ clients, callsAtOnce }: Callers): Promise<void> {
    if (clients > this.clients.length * this.#clientsPerProcess) {
      throw new FarmError('internal', `the farm has fewer clients than ${clients}`);
    }
    await Promise.all(
      this.clients.map((process, index) => {
        // Evenly over the processes.
        const share = Math.floor(clients / this.clients.length);
        const extra = index < clients % this.clients.length ? 1 : 0;
        return process.call('loopStart', { clients: share + extra, callsAtOnce, maxPauseMs: 0 });
      }),
    );
  }

  async stopCalls(span: { fromMs: number; toMs: number }): Promise<{ texts: number; latency: Latency }> {
    const parts = await Promise.all(this.clients.map((process) => process.call('loopStop', { span })));
    const texts = parts.flatMap(({ calls }) => calls).reduce((sum, count) => sum + count, 0);
    return { texts, latency: latencyOf(parts.flatMap(({ latenciesMs }) => latenciesMs)) };
  }

  /** BullMQ alone takes jobs of the same size from a full queue, and returns nothing. @returns jobs. */
  async drainBare(drain: BareDrain): Promise<Rate> {
    await this.#bare.call('fill', drain);
    const readCost = await beginCost(this.#redis.port, { worker: [this.#bare] });
    const seconds = await this.#bare.call('drain', drain);
    return rateOf(drain.jobs, seconds, await readCost());
  }

  /** @returns what reads the CPU seconds of Redis, worker and clients since now. */
  beginCost(): Promise<() => Promise<CpuSeconds>> {
    return beginCost(this.#redis.port, { worker: [this.#worker], clients: this.clients });
  }

  /** @returns what reads what the device did since now. */
  async beginDeviceWork(): Promise<() => Promise<DeviceWork>> {
    await this.#worker.call('meterBegin', {});
    return async () => {
      const { work } = await this.#worker.call('meterRead', {});
      if (work === undefined) throw new FarmError('internal', 'the worker told nothing of its device');
      return work;
    };
  }

  /** Most memory that Redis had in use since its start, in bytes. */
  async redisPeakBytes(): Promise<number> {
    return (await readRedisInfo(this.#redis.port)).peakMemoryBytes;
  }

  /** @throws AbortError when the run is stopped. */
  async rest(seconds: number): Promise<void> {
    await rest(seconds * 1_000, undefined, { signal: this.#signal });
  }

  async #close(): Promise<void> {
    // Clients first: what they wait for is cancelled, and the worker has nothing to drain.
    await Promise.all([...this.clients, this.#bare].map((process) => process.close()));
    await this.#worker.close();
  }
}

export function rateOf(count: number, seconds: number, cpuSeconds: CpuSeconds): Rate {
  const perThousand = Object.entries(cpuSeconds).map(([name, used]) => [name, (used * 1_000) / count]);
  return {
    perSecond: count / seconds,
    cpuSecondsPerThousand: Object.fromEntries(perThousand) as Record<string, number>,
  };
}
