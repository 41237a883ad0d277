import { LANES } from '@embedfarm/contract';
import type { FarmWaiting, LaneWaiting } from '@embedfarm/farm/figures';
import type { FarmStatus } from '@embedfarm/farm/inspect';
import { ProcessMetrics } from '@embedfarm/service/process-metrics';
import { Gauge } from 'prom-client';
import type { BoardState } from './board-state.ts';

type Series = readonly { readonly labels?: Record<string, string>; readonly value: number }[];

interface FarmGauge {
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (status: FarmStatus, waiting: FarmWaiting | undefined) => Series;
}

/** Every figure of the farm as a whole, by its name. Each is read from a few keys, whatever the farm holds. */
const FARM_GAUGES: Readonly<Record<string, FarmGauge>> = {
  farm_backlog_jobs: {
    help: 'Jobs that wait in the queues.',
    labels: ['model', 'lane'],
    read: ({ models }) =>
      models.flatMap(({ model, backlog }) =>
        LANES.map((lane) => ({ labels: { model, lane }, value: backlog[lane] })),
      ),
  },
  farm_backlog_texts: {
    help: 'Texts of the jobs that wait; where many do, estimated from some of them.',
    labels: ['lane'],
    read: (_, waiting) => byLane(waiting, ({ texts }) => texts),
  },
  farm_backlog_tokens: {
    help: 'Tokens of the texts that wait, by the mean length of the last ones.',
    labels: ['lane'],
    read: (_, waiting) => byLane(waiting, ({ tokens }) => tokens),
  },
  farm_backlog_seconds: {
    help: 'How long what waits takes at the rate of the last seconds, bulk after interactive; absent where nothing runs.',
    labels: ['lane'],
    read: (_, waiting) => byLane(waiting, (lane) => lane.clearSeconds),
  },
  farm_oldest_job_seconds: {
    help: 'Age of the oldest job that was found waiting; 0 where none waits.',
    labels: ['lane'],
    read: (_, waiting) => byLane(waiting, ageSeconds),
  },
  farm_clear_seconds: {
    help: 'How long all texts that the farm holds take at the rate of now, at most; absent where nothing runs.',
    read: clearSeconds,
  },
  farm_workers: {
    help: 'Workers heard of in the last 15 s.',
    labels: ['model', 'state'],
    read: ({ models, workers }) =>
      models.flatMap(({ model }) =>
        ['running', 'draining', 'refused'].map((state) => ({
          labels: { model, state },
          value: workers.filter((worker) => worker.model === model && worker.state === state).length,
        })),
      ),
  },
  farm_texts_per_second: {
    help: 'Texts encoded by all workers, over the last seconds.',
    labels: ['model'],
    read: (status) => byModel(status, ({ textsPerSecond }) => textsPerSecond),
  },
  farm_tokens_per_second: {
    help: 'Tokens encoded by all workers, over the last seconds.',
    labels: ['model'],
    read: (status) => byModel(status, ({ tokensPerSecond }) => tokensPerSecond),
  },
  farm_devices: { help: 'Devices of all workers.', read: ({ devices }) => one(devices.length) },
  farm_clients: { help: 'Clients heard of in the last 15 s.', read: ({ clients }) => one(clients) },
  farm_open_requests: {
    help: 'Submitted requests that have not ended.',
    read: ({ openRequests }) => one(openRequests),
  },
  farm_webhooks_due: {
    help: 'Ended requests whose webhook waits to be handed over.',
    read: ({ webhooksDue }) => one(webhooksDue),
  },
  farm_admission_texts: {
    help: 'Texts that clients and requests hold of the farm, spare ones of their leases included.',
    read: ({ admission }) => one(admission.texts),
  },
  farm_admission_max_texts: {
    help: 'Texts that the farm may hold.',
    read: ({ admission }) => one(admission.maxTexts),
  },
  farm_admission_bytes: {
    help: 'Bytes that clients and requests hold of the farm, spare ones of their leases included.',
    read: ({ admission }) => one(admission.bytes),
  },
  farm_admission_max_bytes: {
    help: 'Bytes that the farm may hold.',
    read: ({ admission }) => one(admission.maxBytes),
  },
  farm_redis_memory_bytes: {
    help: 'Memory that Redis uses.',
    read: ({ admission }) => one(admission.memory.usedBytes),
  },
  farm_redis_max_memory_bytes: {
    help: "Redis' maxmemory, or its machine's memory.",
    read: ({ admission }) => one(admission.memory.maxBytes),
  },
  farm_redis_stop_memory_bytes: {
    help: 'Above this the farm takes nothing more.',
    read: ({ admission }) => one(admission.memory.stopBytes),
  },
  farm_recent_cache_lookups: {
    help: 'Texts looked up in the cache in the last minute, by clients and workers.',
    read: ({ cache }) => one(cache.lookups),
  },
  farm_recent_cache_hits: {
    help: 'Texts that the cache had, of those of the last minute.',
    read: ({ cache }) => one(cache.hits),
  },
};

/** The farm as a whole, from what the board knows. While Redis is down only `farm_redis_up` is left: 0. */
export class FarmMetrics {
  readonly #process = new ProcessMetrics('dashboard');
  readonly #redisUp: Gauge;
  readonly #gauges: readonly {
    readonly gauge: Gauge;
    readonly hasLabels: boolean;
    readonly read: FarmGauge['read'];
  }[];

  constructor() {
    const registers = [this.#process.registry];
    this.#redisUp = new Gauge({
      name: 'farm_redis_up',
      help: '1 while Redis answers, else 0.',
      registers,
    });
    this.#gauges = Object.entries(FARM_GAUGES).map(([name, { help, labels = [], read }]) => ({
      gauge: new Gauge({ name, help, labelNames: labels, registers }),
      hasLabels: labels.length > 0,
      read,
    }));
  }

  /** Everything, in Prometheus' text format. */
  async text({ redis, status, waiting }: BoardState): Promise<string> {
    const known = redis === 'up' ? status : undefined;
    this.#redisUp.set(known ? 1 : 0);
    for (const { gauge, hasLabels, read } of this.#gauges) {
      // Figures of before would look like figures of now.
      gauge.reset();
      if (!hasLabels) gauge.remove();
      for (const { labels = {}, value } of known ? read(known, waiting) : []) gauge.set(labels, value);
    }
    return await this.#process.text();
  }
}

function one(value: number): Series {
  return [{ value }];
}

function byModel(
  { models, workers }: FarmStatus,
  read: (worker: FarmStatus['workers'][number]) => number,
): Series {
  return models.map(({ model }) => ({
    labels: { model },
    value: workers.reduce((sum, worker) => sum + (worker.model === model ? read(worker) : 0), 0),
  }));
}

/** Nothing of a lane whose figure is not known. */
function byLane(waiting: FarmWaiting | undefined, read: (lane: LaneWaiting) => number | undefined): Series {
  return LANES.flatMap((lane) => {
    const value = waiting && read(waiting[lane]);
    return value === undefined ? [] : [{ labels: { lane }, value }];
  });
}

function ageSeconds({ jobs, oldestMs }: LaneWaiting): number | undefined {
  return oldestMs === undefined ? (jobs === 0 ? 0 : undefined) : oldestMs / 1_000;
}

/** Leases have some to spare, so an idle farm that has clients holds texts too: without a backlog it is 0. */
function clearSeconds({ backlog, admission, workers }: FarmStatus): Series {
  const waiting = workers.reduce((sum, { waitingTexts }) => sum + waitingTexts, 0);
  if (backlog.interactive + backlog.bulk + waiting === 0) return one(0);
  const textsPerSecond = workers.reduce((sum, worker) => sum + worker.textsPerSecond, 0);
  return textsPerSecond > 0 ? one(admission.texts / textsPerSecond) : [];
}
