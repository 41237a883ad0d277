import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import { epochMs } from './closed-loop.ts';
import type { BulkResult } from './engine-target.ts';
import { loadResult, type LoopResult } from './load-result.ts';
import { MeasuredProcess } from './measured-process.ts';
import type { Usage } from './meter.ts';
import { latencyOf, median } from './percentile.ts';
import { readRedisInfo } from './redis-info.ts';
import type { WorkloadSpec } from './workload.ts';

export interface FarmTargetOptions {
  readonly redis: { readonly url: string; readonly port: number };
  readonly model: string;
  readonly name: string;
  readonly devices: string;
  readonly clientProcesses: number;
  readonly clientsPerProcess: number;
}

/** A farm on this machine: Redis, one worker process, and processes of SDK instances. */
export class FarmTarget {
  readonly #redisPort: number;
  readonly #worker: MeasuredProcess;
  readonly #clients: readonly MeasuredProcess[];
  readonly #clientsPerProcess: number;

  private constructor(
    { redis, clientsPerProcess }: FarmTargetOptions,
    worker: MeasuredProcess,
    clients: readonly MeasuredProcess[],
  ) {
    this.#redisPort = redis.port;
    this.#worker = worker;
    this.#clients = clients;
    this.#clientsPerProcess = clientsPerProcess;
  }

  static async open(options: FarmTargetOptions, signal: AbortSignal): Promise<FarmTarget> {
    const { redis, model, name, devices } = options;
    const processes: MeasuredProcess[] = [];
    try {
      const worker = await MeasuredProcess.open('worker', { redis: redis.url, model, name, devices }, signal);
      processes.push(worker);
      const clientOptions = { redis: redis.url, clients: options.clientsPerProcess };
      while (processes.length <= options.clientProcesses) {
        processes.push(await MeasuredProcess.open('client', clientOptions, signal));
      }
      return new FarmTarget(options, worker, processes.slice(1));
    } catch (thrown) {
      await Promise.all(processes.map((process) => process.close()));
      throw thrown;
    }
  }

  /** One call of the first client. */
  async bulk(workload: WorkloadSpec): Promise<BulkResult> {
    const readCost = await this.#beginCost();
    const { seconds, tokens, digest } = await this.#first.call('bulk', { workload });
    const { usage, cpuSeconds } = await readCost();
    const load = { seconds, texts: workload.texts, tokens };
    return { load: loadResult(load, usage, cpuSeconds), digest };
  }

  /** One text at a time, of the first client alone. @returns ms per call. */
  singles(workload: WorkloadSpec, calls: number): Promise<number[]> {
    return this.#first.call('singles', { workload, calls });
  }

  /** All clients at once, each one text at a time. What ends within `seconds`, after the ramp, counts. */
  async loop(
    workload: WorkloadSpec,
    { rampSeconds, seconds }: { rampSeconds: number; seconds: number },
    signal: AbortSignal,
  ): Promise<LoopResult> {
    const clients = this.#clients.length * this.#clientsPerProcess;
    await Promise.all(
      this.#clients.map((process, index) => {
        const firstClient = index * this.#clientsPerProcess;
        return process.call('loopStart', { workload, firstClient, clients });
      }),
    );
    await sleep(rampSeconds * 1_000, undefined, { signal });
    const readCost = await this.#beginCost();
    const fromMs = epochMs();
    await sleep(seconds * 1_000, undefined, { signal });
    const span = { fromMs, toMs: epochMs() };
    const { usage, cpuSeconds } = await readCost();
    const parts = await Promise.all(this.#clients.map((process) => process.call('loopStop', { span })));
    const calls = parts.flatMap((part) => part.calls);
    const load = {
      seconds: (span.toMs - span.fromMs) / 1_000,
      texts: calls.reduce((sum, count) => sum + count, 0),
      tokens: parts.reduce((sum, { tokens }) => sum + tokens, 0),
    };
    return {
      ...loadResult(load, usage, cpuSeconds),
      clients,
      latency: latencyOf(parts.flatMap(({ latenciesMs }) => latenciesMs)),
      perClient: {
        min: Math.min(...calls) / load.seconds,
        median: median(calls) / load.seconds,
        max: Math.max(...calls) / load.seconds,
      },
    };
  }

  async close(): Promise<void> {
    // Clients first: what they wait for is cancelled, and the worker has nothing to drain.
    await Promise.all(this.#clients.map((process) => process.close()));
    await this.#worker.close();
  }

  get #first(): MeasuredProcess {
    const [first] = this.#clients;
    if (first === undefined) throw new FarmError('internal', 'the farm has no client');
    return first;
  }

  /** @returns what reads the cost since now. */
  async #beginCost(): Promise<() => Promise<{ usage: Usage; cpuSeconds: Record<string, number> }>> {
    const { cpuSeconds: redisBefore } = await readRedisInfo(this.#redisPort);
    await Promise.all([this.#worker, ...this.#clients].map((process) => process.call('meterBegin', {})));
    return async () => {
      const usage = await this.#worker.call('meterRead', {});
      const clients = await Promise.all(this.#clients.map((process) => process.call('meterRead', {})));
      const redis = await readRedisInfo(this.#redisPort);
      const cpuSeconds = {
        redis: redis.cpuSeconds - redisBefore,
        worker: usage.cpuSeconds,
        clients: clients.reduce((sum, client) => sum + client.cpuSeconds, 0),
      };
      return { usage, cpuSeconds };
    };
  }
}
