import {
  modelRegistrationSchema,
  queueName,
  redisKeys,
  workerReportSchema,
  type BenchCurve,
  type DeviceReport,
  type ModelRegistration,
  type RedisKeys,
  type WorkerReport,
} from '@embedfarm/contract';
import { readAdmission, type AdmissionStatus } from '../redis/admission.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { unlessSpoilt } from '../redis/unless-spoilt.ts';
import { readCacheCounts, type CacheCounts } from './cache-counts.ts';
import { connectRedis, disconnectRedis, waitForRedis } from '../redis/connect.ts';
import { ModelRegistry, WORKER_TTL_MS } from '../redis/model-registry.ts';
import { CLIENT_TTL_MS } from '../redis/presence.ts';
import { RedisClock } from '../redis/redis-clock.ts';
import { sampleStats, waitingKeys } from '../redis/stats.ts';
import { readBenchCurves } from '../stats/bench-curves.ts';
import type { MinuteStats } from '../stats/minute-stats.ts';
import type { ClientRow, FailureGroup, FarmWaiting, RequestRow } from './farm-figures.ts';
import { MinuteReader } from './minute-reader.ts';
import { QueueExporter } from './queue-exporter.ts';
import { readClients } from './read-clients.ts';
import { readFailures } from './read-failures.ts';
import { readWaiting } from './read-waiting.ts';
import { readRequestRows } from './request-rows.ts';
import { readSeries } from './read-series.ts';
import type { Backlog, StatsPoint } from './stats-point.ts';

export type { Backlog, StatsPoint };

export type ModelStatus = ModelRegistration & { readonly workers: number; readonly backlog: Backlog };

/** The farm at one moment. */
export interface FarmStatus {
  readonly models: ModelStatus[];
  /** `lastSeenMs`: age of the last heartbeat. */
  readonly workers: (WorkerReport & { readonly lastSeenMs: number })[];
  readonly devices: (DeviceReport & { readonly workerId: string })[];
  readonly backlog: Backlog;
  /** num_client: SDK instances heard of in the last 15 s. */
  readonly clients: number;
  /** What the farm holds of texts and bytes, and may hold. */
  readonly admission: AdmissionStatus;
  /** Of the last minute. */
  readonly cache: CacheCounts;
  /** Submitted requests that have not ended. */
  readonly openRequests: number;
  /** Ended requests whose webhook waits to be handed over. */
  readonly webhooksDue: number;
}

/** Most workers that are read of; what is more was put there by hand. */
const MAX_WORKERS = 10_000;
/** Longest report: one of a worker with 256 devices is a tenth of it. */
const MAX_REPORT_LENGTH = 500_000;

/** Where something else was put under the keys of the admission. */
const UNKNOWN_ADMISSION: AdmissionStatus = {
  texts: 0,
  bytes: 0,
  maxTexts: 0,
  maxBytes: 0,
  memory: { usedBytes: 0, maxBytes: 0, stopBytes: 0 },
};

/** Reads what the farm says of itself, from a few keys, never by scanning. */
export class Inspector {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #clock: RedisClock;
  readonly #registry: ModelRegistry;
  readonly #exporter: QueueExporter;
  readonly #minutes: MinuteReader;

  private constructor(redis: FarmRedis, keys: RedisKeys, clock: RedisClock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
    this.#registry = new ModelRegistry(redis, keys);
    this.#exporter = new QueueExporter(redis, keys.prefix);
    this.#minutes = new MinuteReader(redis, keys);
  }

  /** @throws FarmError `redis_unavailable` when Redis does not answer within `timeoutMs`. */
  static async open(
    { redis: url, prefix, timeoutMs = 10_000 }: { redis: string; prefix?: string; timeoutMs?: number },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Inspector> {
    const keys = redisKeys(prefix);
    const redis = connectRedis(url);
    try {
      await waitForRedis(redis, url, keys, { signal, timeoutMs });
      return new Inspector(redis, keys, await RedisClock.open(redis, keys));
    } catch (thrown) {
      disconnectRedis(redis);
      throw thrown;
    }
  }

  async status(): Promise<FarmStatus> {
    await this.#clock.sync(this.#redis);
    const nowMs = this.#clock.nowMs();
    const [names, workers, clients, admission, cache, openRequests, webhooksDue] = await Promise.all([
      unlessSpoilt(this.#registry.names(), []),
      unlessSpoilt(this.#workers(nowMs), []),
      unlessSpoilt(this.#redis.zcount(this.#keys.clients, nowMs - CLIENT_TTL_MS, '+inf'), 0),
      unlessSpoilt(readAdmission(this.#redis, this.#keys), UNKNOWN_ADMISSION),
      readCacheCounts(this.#redis, this.#keys, nowMs),
      unlessSpoilt(this.#redis.zcard(this.#keys.openRequests), 0),
      unlessSpoilt(this.#redis.zcard(this.#keys.webhooksDue), 0),
    ]);
    const models = await this.#models(names, nowMs);
    return {
      models,
      workers,
      devices: workers.flatMap(({ workerId, devices }) => devices.map((device) => ({ workerId, ...device }))),
      backlog: {
        interactive: models.reduce((jobs, { backlog }) => jobs + backlog.interactive, 0),
        bulk: models.reduce((jobs, { backlog }) => jobs + backlog.bulk, 0),
      },
      clients,
      admission,
      cache,
      openRequests,
      webhooksDue,
    };
  }

  /** One point a second, oldest first, up to the last whole second; a second without a record holds nothing. */
  async series(seconds: number): Promise<StatsPoint[]> {
    return await readSeries(this.#redis, this.#keys, seconds);
  }

  /** Submitted requests: those that are open, then the newest of the others. */
  async requests(limit: number): Promise<RequestRow[]> {
    return await readRequestRows(this.#redis, this.#keys, limit, this.#clock.nowMs());
  }

  /** What waits, by lane. */
  async waiting(): Promise<FarmWaiting> {
    return await readWaiting(this.#redis, this.#keys, this.#minutes);
  }

  /** The last minutes, oldest first, the current one included; at most 7 days of them. */
  async minutes(count: number): Promise<MinuteStats[]> {
    return (await this.#minutes.read(count)).minutes.map(({ stats }) => stats);
  }

  /** Clients that are alive, the busiest first, at most `limit`. */
  async clients(limit: number): Promise<ClientRow[]> {
    return await readClients(this.#redis, this.#keys, this.#minutes, limit);
  }

  /** Why texts failed in the last hour, the most frequent reason first. */
  async failures(): Promise<FailureGroup[]> {
    return await readFailures(this.#redis, this.#keys, this.#minutes);
  }

  /** Curves that benchmarks have stored. */
  async curves(): Promise<BenchCurve[]> {
    return await readBenchCurves(this.#redis, this.#keys);
  }

  /** Records this second's backlog and number of clients, unless a worker has. */
  async sample(): Promise<void> {
    const names = await unlessSpoilt(this.#registry.names(), []);
    await unlessSpoilt(sampleStats(this.#redis, this.#keys, names), undefined);
  }

  /** The jobs of these models' queues and of the webhooks' by state, in Prometheus' text format, as BullMQ tells them. */
  async queueMetrics(models: readonly string[]): Promise<string> {
    return await this.#exporter.export(models);
  }

  async close(): Promise<void> {
    const closed = this.#exporter.close();
    disconnectRedis(this.#redis);
    await closed;
  }

  async #models(names: readonly string[], nowMs: number): Promise<ModelStatus[]> {
    const lookup = this.#redis.pipeline();
    for (const name of names) {
      lookup.hget(this.#keys.model(name), 'registration');
      lookup.zcount(this.#keys.modelWorkers(name), nowMs - WORKER_TTL_MS, '+inf');
      for (const lane of ['interactive', 'bulk'] as const) {
        const [wait, prioritized] = waitingKeys(this.#keys, queueName(name, lane));
        lookup.llen(wait).zcard(prioritized);
      }
    }
    const answers = ((await lookup.exec()) ?? []).map(([, answer]) => answer);
    return names.flatMap((name, index) => {
      const [stored, workers, ...waiting] = answers.slice(index * 6, index * 6 + 6);
      const registration = parseJson(modelRegistrationSchema, stored);
      // Under another's name it would be that model a second time.
      if (registration?.model !== name) return [];
      const [wait = 0, prioritized = 0, bulkWait = 0, bulkPrioritized = 0] = waiting.map(toCount);
      const backlog = { interactive: wait + prioritized, bulk: bulkWait + bulkPrioritized };
      return [{ ...registration, workers: toCount(workers), backlog }];
    });
  }

  async #workers(nowMs: number): Promise<FarmStatus['workers']> {
    const heard = await this.#redis.zrangebyscore(
      this.#keys.workers,
      nowMs - WORKER_TTL_MS,
      '+inf',
      'WITHSCORES',
      'LIMIT',
      0,
      MAX_WORKERS,
    );
    const ids = heard.filter((_, at) => at % 2 === 0);
    if (ids.length === 0) return [];
    const reports = await this.#redis.mget(...ids.map((id) => this.#keys.worker(id)));
    return reports.flatMap((stored, index) => {
      const report = parseJson(workerReportSchema, stored);
      const heardAtMs = Number(heard[index * 2 + 1]);
      return report && Number.isFinite(heardAtMs)
        ? [{ ...report, lastSeenMs: Math.max(0, nowMs - heardAtMs) }]
        : [];
    });
  }
}

/** 0 for what is no number, as the answer for a key that something else was put under. */
function toCount(answer: unknown): number {
  const count = Number(answer ?? 0);
  return Number.isFinite(count) ? count : 0;
}

/** What was put under a key by hand and does not fit is left out. */
function parseJson<Value>(
  schema: { safeParse(value: unknown): { success: true; data: Value } | { success: false } },
  stored: unknown,
): Value | undefined {
  if (typeof stored !== 'string' || stored.length > MAX_REPORT_LENGTH) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(stored));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
