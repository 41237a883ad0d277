import { setTimeout as rest } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import { epochMs } from '../closed-loop.ts';
import { MeasuredProcess } from '../measured-process.ts';
import type { Usage } from '../meter.ts';
import { latencyOf, median } from '../percentile.ts';
import { readRedisInfo } from '../redis-info.ts';
import type { WorkloadSpec } from '../workload.ts';
import type { SweepClientCalls } from './client-runner.ts';
import type { PointLoad } from './sweep-curve.ts';
import { workOfAll } from './work-of-all.ts';
import type { SweepWorkerOptions } from './worker-process.ts';

/** Beyond so many clients a process has several SDK instances: each is a Node process of 60 MB. */
export const MAX_CLIENT_PROCESSES = 32;

/** Clients that ask a model for texts. */
export interface Asking {
  readonly model: string;
  readonly clients: number;
  readonly callTexts: number;
  readonly workload: WorkloadSpec;
}

type ClientProcess = MeasuredProcess<SweepClientCalls>;

/** A farm on a Redis: worker processes, and as many client processes as a load asks for. */
export class SweepFarm {
  readonly #redis: URL;
  readonly #signal: AbortSignal;
  readonly #workers: MeasuredProcess[] = [];
  readonly #clients: ClientProcess[] = [];

  private constructor(redis: URL, signal: AbortSignal) {
    this.#redis = redis;
    this.#signal = signal;
  }

  /** Runs with a farm. None of its processes is left. */
  static async with<Result>(
    { redis, workers }: { redis: string; workers: readonly Omit<SweepWorkerOptions, 'redis'>[] },
    signal: AbortSignal,
    run: (farm: SweepFarm) => Promise<Result>,
  ): Promise<Result> {
    const farm = new SweepFarm(new URL(redis), signal);
    try {
      // One after another: the first writes what the others of its model only read.
      for (const worker of workers) {
        farm.#workers.push(await MeasuredProcess.open('sweep/worker', { redis, ...worker }, signal));
      }
      return await run(farm);
    } finally {
      await farm.#close();
    }
  }

  /** A worker of another checkout that is built, beside the others. */
  async openBaseline(root: string, worker: Omit<SweepWorkerOptions, 'redis'>): Promise<void> {
    const { model = 'embedded', name = 'baseline', devices = 'cpu' } = worker;
    const options = { redis: this.#redis.href, model, name, devices };
    this.#workers.push(await MeasuredProcess.open('worker', options, this.#signal, root));
  }

  /** Clients that call again as soon as they have an answer. Calls that end within `seconds`, after the ramp, count. */
  async loop(
    { clients, ...asked }: Asking,
    { rampSeconds, seconds }: { rampSeconds: number; seconds: number },
  ): Promise<PointLoad> {
    const shares = await this.#connect(clients);
    await Promise.all(
      shares.map(({ process, firstClient }) => process.call('loopStart', { ...asked, firstClient, clients })),
    );
    await rest(rampSeconds * 1_000, undefined, { signal: this.#signal });
    const readCost = await this.#beginCost();
    const fromMs = epochMs();
    await rest(seconds * 1_000, undefined, { signal: this.#signal });
    const span = { fromMs, toMs: epochMs() };
    const cost = await readCost();
    const parts = await Promise.all(shares.map(({ process }) => process.call('loopStop', { span })));
    const texts = parts.flatMap(({ calls }) => calls.map((count) => count * asked.callTexts));
    return loadOf({
      seconds: (span.toMs - span.fromMs) / 1_000,
      texts,
      tokens: parts.reduce((sum, part) => sum + part.tokens, 0),
      callsMs: parts.flatMap(({ latenciesMs }) => latenciesMs),
      cost,
    });
  }

  /** Clients that make so many calls each, all at once. The clock runs from the first call to the last answer. */
  async calls({ clients, calls, ...asked }: Asking & { calls: number }): Promise<PointLoad> {
    const shares = await this.#connect(clients);
    const readCost = await this.#beginCost();
    const parts = await Promise.all(
      shares.map(({ process, firstClient }) => process.call('calls', { ...asked, firstClient, calls })),
    );
    const cost = await readCost();
    const begin = Math.min(...parts.map(({ beginMs }) => beginMs));
    const end = Math.max(...parts.map(({ endMs }) => endMs));
    const callsMs = parts.flatMap((part) => part.callsMs);
    const load = loadOf({
      seconds: (end - begin) / 1_000,
      texts: callsMs.map((ended) => ended.length * asked.callTexts),
      tokens: parts.reduce((sum, part) => sum + part.tokens, 0),
      callsMs: callsMs.flat(),
      cost,
    });
    // As bert-as-service reckons: the texts of a call by the time that the client's calls took.
    const rates = callsMs.map(
      (ended) => (ended.length * asked.callTexts * 1_000) / ended.reduce((sum, ms) => sum + ms, 0),
    );
    return { ...load, perClient: spreadOf(rates) };
  }

  /** CPU seconds of Redis since its start; undefined where it cannot be asked without a library. */
  async redisCpuSeconds(): Promise<number | undefined> {
    if (this.#redis.protocol !== 'redis:') return undefined;
    return (await readRedisInfo(this.#redis)).cpuSeconds;
  }

  /** So many instances, over as many processes; processes that are too many have none. */
  async #connect(clients: number): Promise<{ process: ClientProcess; firstClient: number }[]> {
    const processes = Math.min(clients, MAX_CLIENT_PROCESSES);
    while (this.#clients.length < processes) {
      const options = { redis: this.#redis.href };
      this.#clients.push(await MeasuredProcess.open('sweep/client', options, this.#signal));
    }
    const sizes = this.#clients.map((_, index) =>
      index < processes ? Math.floor(clients / processes) + (index < clients % processes ? 1 : 0) : 0,
    );
    await Promise.all(
      this.#clients.map((process, index) => process.call('connect', { clients: sizes[index] ?? 0 })),
    );
    let firstClient = 0;
    return this.#clients.slice(0, processes).map((process, index) => {
      const share = { process, firstClient };
      firstClient += sizes[index] ?? 0;
      return share;
    });
  }

  /** @returns what reads the cost since now. */
  async #beginCost(): Promise<() => Promise<Cost>> {
    const clientsCpu = async (): Promise<number> => {
      const seconds = await Promise.all(this.#clients.map((process) => process.call('cpu', {})));
      return seconds.reduce((sum, one) => sum + one, 0);
    };
    const redisBefore = await this.redisCpuSeconds();
    const clientsBefore = await clientsCpu();
    await Promise.all(this.#workers.map((worker) => worker.call('meterBegin', {})));
    return async () => {
      const usages = await Promise.all(this.#workers.map((worker) => worker.call('meterRead', {})));
      const clients = (await clientsCpu()) - clientsBefore;
      const redis = await this.redisCpuSeconds();
      return {
        usages,
        cpuSeconds: {
          ...(redis !== undefined && redisBefore !== undefined && { redis: redis - redisBefore }),
          worker: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
          clients,
        },
      };
    };
  }

  async #close(): Promise<void> {
    // Clients first: what they wait for is cancelled, and the workers have nothing to drain.
    await Promise.all(this.#clients.map((process) => process.close()));
    await Promise.all(this.#workers.map((process) => process.close()));
  }
}

interface Cost {
  readonly usages: readonly Usage[];
  readonly cpuSeconds: PointLoad['cpuSeconds'];
}

interface LoadParts {
  readonly seconds: number;
  /** By client. */
  readonly texts: readonly number[];
  readonly tokens: number;
  readonly callsMs: readonly number[];
  readonly cost: Cost;
}

function loadOf({ seconds, texts, tokens, callsMs, cost }: LoadParts): PointLoad {
  const all = texts.reduce((sum, one) => sum + one, 0);
  if (all === 0) throw new FarmError('internal', `no call ended in ${seconds.toFixed(1)} s`);
  // Only those that did something: others serve other models, and are idle.
  const works = cost.usages.flatMap(({ work }) => (work === undefined || work.batches === 0 ? [] : [work]));
  const work = workOfAll(works);
  return {
    seconds,
    texts: all,
    tokens,
    textsPerSecond: all / seconds,
    tokensPerSecond: tokens / seconds,
    cpuSeconds: cost.cpuSeconds,
    ...(work !== undefined && { work }),
    latency: latencyOf(callsMs),
    perClient: spreadOf(texts.map((count) => count / seconds)),
  };
}

function spreadOf(rates: readonly number[]): { min: number; median: number; max: number } {
  return { min: Math.min(...rates), median: median(rates), max: Math.max(...rates) };
}
