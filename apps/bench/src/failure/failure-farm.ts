import { EmbeddingFarm } from '@embedfarm/sdk';
import { callRedis } from '@embedfarm/testkit/call-redis';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { TcpProxy } from '@embedfarm/testkit/tcp-proxy';
import { FailureProcess, type Note, type ProcessOptions } from './failure-process.ts';

/** Chunks that a worker has begun and not ended. */
interface HeldChunks {
  readonly worker: FailureProcess;
  readonly chunks: Set<string>;
}

export interface WorkerOptions {
  readonly dimensions: number;
  readonly msPerText: number;
  readonly failingChunks?: number;
  /** Where it finds Redis; by default directly. */
  readonly redis?: string;
  readonly clockAheadMs?: number;
}

/** BullMQ's places of jobs that are not done. */
const PLACES = { wait: 'LLEN', active: 'LLEN', prioritized: 'ZCARD', delayed: 'ZCARD' } as const;
/** Longest until a job that was lost sight of has run again and is gone. */
const REST_TIMEOUT_MS = 40_000;

/** One run's Redis, workers, clients and proxies; all are gone after `close`. */
export class FailureFarm {
  readonly redis: TestRedis;
  /** How often each chunk was begun, over all workers. */
  readonly begun = new Map<string, number>();
  readonly #held: HeldChunks[] = [];
  readonly #open: (() => Promise<unknown>)[] = [];
  readonly #listeners = new Set<(note: Note, worker: FailureProcess | undefined) => void>();

  private constructor(redis: TestRedis) {
    this.redis = redis;
    this.#open.push(() => redis.close());
  }

  static async open(): Promise<FailureFarm> {
    return new FailureFarm(await openTestRedis());
  }

  async startWorker({ clockAheadMs = 0, redis, ...options }: WorkerOptions): Promise<FailureProcess> {
    const chunks = new Set<string>();
    let worker: FailureProcess | undefined;
    const onNote = (note: Note): void => {
      if (note.note === 'begin') {
        this.begun.set(note.chunk, (this.begun.get(note.chunk) ?? 0) + 1);
        chunks.add(note.chunk);
      } else chunks.delete(note.chunk);
      for (const listener of this.#listeners) listener(note, worker);
    };
    const url = redis ?? this.redis.url;
    worker = await this.#start('timed-worker', { redis: url, ...options }, { clockAheadMs, onNote });
    this.#held.push({ worker, chunks });
    return worker;
  }

  startDeviceWorker(devices: string): Promise<FailureProcess> {
    return this.#start('device-worker', { redis: this.redis.url, devices });
  }

  startClient(options: { clockAheadMs?: number } = {}): Promise<FailureProcess> {
    return this.#start('client', { redis: this.redis.url }, options);
  }

  /** A client in this process. */
  async connect(redis = this.redis.url): Promise<EmbeddingFarm> {
    const farm = await EmbeddingFarm.connect({ redis });
    this.#open.push(() => farm.close());
    return farm;
  }

  async startProxy(): Promise<TcpProxy> {
    const proxy = await TcpProxy.open(this.redis.url);
    this.#open.push(() => proxy.close());
    return proxy;
  }

  /** Chunks that the worker has begun and not ended. */
  heldBy(worker: FailureProcess): string[] {
    return [...(this.#held.find((held) => held.worker === worker)?.chunks ?? [])];
  }

  /** Resolves once every one of these chunks has been begun by another worker. */
  begunElsewhere(chunks: readonly string[], victim: FailureProcess): Promise<void> {
    const left = new Set(chunks);
    if (left.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const listener = ({ note, chunk }: Note, worker: FailureProcess | undefined): void => {
        if (note !== 'begin' || worker === victim || !left.delete(chunk) || left.size > 0) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  /** Resolves at the next of these notes, whoever's. */
  noted(wanted: Note['note']): Promise<void> {
    return new Promise((resolve) => {
      const listener = ({ note }: Note): void => {
        if (note !== wanted) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  /** Chunks that were begun more than once. */
  get begunTwice(): string[] {
    return [...this.begun].filter(([, times]) => times > 1).map(([chunk]) => chunk);
  }

  /** Resolves when no job waits or runs any more, also none that has run twice. */
  async atRest(): Promise<void> {
    const { url } = this.redis;
    const metas = (await callRedis(url, 'KEYS', '{embedfarm}:*:meta')) as string[];
    const queues = metas.map((meta) => meta.replace(/meta$/, ''));
    const isEmpty = async (): Promise<boolean> => {
      for (const queue of queues) {
        for (const [place, command] of Object.entries(PLACES)) {
          if (Number(await callRedis(url, command, queue + place)) > 0) return false;
        }
      }
      return true;
    };
    await eventually(isEmpty, { timeoutMs: REST_TIMEOUT_MS, what: 'an empty queue' });
  }

  /** Texts that the farm's statistics have counted since the start. */
  async countedTexts(): Promise<number> {
    const names = (await callRedis(this.redis.url, 'KEYS', '{embedfarm}:stats:*')) as string[];
    let texts = 0;
    for (const name of names) {
      texts += Number((await callRedis(this.redis.url, 'HGET', name, 'texts')) ?? 0);
      texts += Number((await callRedis(this.redis.url, 'HGET', name, 'failed')) ?? 0);
    }
    return texts;
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    for (const close of this.#open.splice(0).toReversed()) await close().catch(() => undefined);
  }

  async #start<Name extends keyof ProcessOptions>(
    name: Name,
    options: ProcessOptions[Name],
    more: Parameters<typeof FailureProcess.open>[2] = {},
  ): Promise<FailureProcess> {
    const process = await FailureProcess.open(name, options, more);
    this.#open.push(() => process.close());
    return process;
  }
}
