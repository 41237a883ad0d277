import type { BoardEvent, BoardPoint } from '../board-shape.ts';
import { shownStatus } from '../shown-status.ts';
import { SilentWorkers } from '../silent-workers.ts';
import { thinHistory } from '../thin-history.ts';
import { noise, type SceneSizes } from './scene-sizes.ts';
import { syntheticMinute } from './synthetic-minute.ts';
import {
  syntheticClients,
  syntheticCurves,
  syntheticFailures,
  syntheticModels,
  syntheticRequests,
  syntheticWorkers,
} from './synthetic-rows.ts';

export const SCENES = ['empty', 'one', 'busy', 'million', 'down', 'no-worker', 'hostile'] as const;
export type Scene = (typeof SCENES)[number];

const SIZES: Readonly<Record<Scene, SceneSizes>> = {
  empty: { workers: 1, clients: 0, textsPerSecond: 0, bulkJobs: 0, requests: 0, isHostile: false },
  one: { workers: 1, clients: 1, textsPerSecond: 0.01, bulkJobs: 0, requests: 1, isHostile: false },
  busy: { workers: 4, clients: 12, textsPerSecond: 1_240, bulkJobs: 310, requests: 7, isHostile: false },
  million: {
    workers: 70,
    clients: 10_000,
    textsPerSecond: 214_000,
    bulkJobs: 41_000,
    requests: 100,
    isHostile: false,
  },
  down: { workers: 4, clients: 12, textsPerSecond: 1_240, bulkJobs: 310, requests: 7, isHostile: false },
  'no-worker': { workers: 0, clients: 3, textsPerSecond: 0, bulkJobs: 80, requests: 2, isHostile: false },
  hostile: { workers: 3, clients: 6, textsPerSecond: 300, bulkJobs: 12, requests: 4, isHostile: true },
};

/** A farm that is not there, for who looks at the page: plausible, seeded by the second, and never of a test's truth. */
export class SyntheticBoard {
  readonly #scene: Scene;
  readonly #sizes: SceneSizes;
  readonly #startedMs: number;
  readonly #silent = new SilentWorkers();

  constructor(scene: Scene, nowMs: number) {
    this.#scene = scene;
    this.#sizes = SIZES[scene];
    this.#startedMs = nowMs;
  }

  /** All of it: five minutes of seconds, an hour of minutes. */
  snapshot(nowMs: number): BoardEvent {
    const second = Math.floor(nowMs / 1_000) - 1;
    return {
      ...this.#now(nowMs),
      points: Array.from({ length: 300 }, (_, ago) => this.#point(second - 299 + ago)),
      older: thinHistory(Array.from({ length: 3_300 }, (_, ago) => this.#point(second - 3_599 + ago))),
      minutes: this.#minutes(nowMs, 60),
      curves: this.#scene === 'empty' || this.#scene === 'one' ? [] : syntheticCurves(this.#sizes),
    };
  }

  update(nowMs: number): BoardEvent {
    return {
      ...this.#now(nowMs),
      points: this.#scene === 'down' ? [] : [this.#point(Math.floor(nowMs / 1_000) - 1)],
      minutes: this.#minutes(nowMs, 1),
    };
  }

  #now(nowMs: number): BoardEvent {
    const sizes = this.#sizes;
    const second = Math.floor(nowMs / 1_000);
    const newest = this.#point(second - 1);
    const waitingTexts = newest.backlog.bulk * 241;
    const workers = syntheticWorkers(sizes, nowMs, nowMs - this.#startedMs);
    const lane = (jobs: number, texts: number, oldestMs: number) => ({
      jobs,
      texts,
      tokens: texts * 38,
      oldestMs: jobs > 0 ? oldestMs : undefined,
      clearSeconds: jobs === 0 ? 0 : sizes.textsPerSecond > 0 ? texts / sizes.textsPerSecond : undefined,
    });
    return {
      redis: this.#scene === 'down' ? 'down' : 'up',
      redisSinceMs: this.#startedMs - 95_000,
      updatedAtMs: nowMs,
      status: shownStatus({
        workers: this.#silent.hear(workers, nowMs),
        status: {
          models: syntheticModels(sizes, newest.backlog),
          workers,
          devices: workers.flatMap(({ workerId, devices }) =>
            devices.map((device) => ({ workerId, ...device })),
          ),
          backlog: newest.backlog,
          clients: sizes.clients,
          cache: {
            lookups: sizes.textsPerSecond > 1 ? 4_210 : 0,
            hits: sizes.textsPerSecond > 1 ? 1_633 : 0,
          },
          openRequests: sizes.requests,
          webhooksDue: 0,
          admission: {
            texts: waitingTexts,
            bytes: waitingTexts * 1_800,
            maxTexts: 10_000_000,
            maxBytes: 6_442_450_944,
            memory: {
              usedBytes: 190_000_000 + waitingTexts * 300,
              maxBytes: 10_737_418_240,
              stopBytes: 6_442_450_944,
            },
          },
        },
      }),
      waiting: {
        interactive: lane(newest.backlog.interactive, newest.backlog.interactive * 3, 140),
        bulk: lane(newest.backlog.bulk, waitingTexts, newest.oldestMs),
      },
      points: [],
      byClients: byClients(sizes),
      clients: syntheticClients(sizes),
      requests: syntheticRequests(sizes, nowMs),
      failures: this.#scene === 'empty' || this.#scene === 'one' ? [] : syntheticFailures(sizes, nowMs),
    };
  }

  #point(second: number) {
    const { workers, clients, textsPerSecond, bulkJobs } = this.#sizes;
    // The one job of that scene ran some minutes ago.
    const isOne = this.#scene === 'one';
    const wave =
      1 + 0.25 * Math.sin(second / 47) + 0.12 * Math.sin(second / 11) + 0.2 * (noise(second) - 0.5);
    const texts = isOne
      ? Number(second === Math.floor(this.#startedMs / 1_000) - 40)
      : Math.round(textsPerSecond * wave);
    const depth = Math.max(
      0,
      Math.round(bulkJobs * (0.7 + 0.5 * Math.sin(second / 190) + 0.05 * noise(second * 3))),
    );
    const ids = syntheticWorkers(this.#sizes, second * 1_000, 0).map(({ workerId }) => workerId);
    const weights = ids.map((_, index) => 1 + (index % 3) + 0.4 * noise(second * 7 + index));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    return {
      second,
      texts,
      tokens: texts * 38,
      failed: !isOne && textsPerSecond > 1 && second % 97 === 0 ? 2 : 0,
      clients: isOne ? 1 : Math.round(clients * (0.9 + 0.1 * Math.sin(second / 300))),
      backlog: {
        interactive: workers > 0 ? Math.round(bulkJobs * 0.03 * noise(second * 5)) : 4,
        bulk: depth,
      },
      oldestMs: workers === 0 ? (second % 3_600) * 1_000 : Math.round(depth * 42),
      busyWorkers: texts > 0 ? ids.length : 0,
      workers: Object.fromEntries(
        ids
          .slice(0, 16)
          .map((id, index) => [id, Math.round((texts * (weights[index] ?? 0)) / all)] as const)
          .filter(([, of]) => of > 0),
      ),
    } satisfies BoardPoint;
  }

  #minutes(nowMs: number, count: number): NonNullable<BoardEvent['minutes']> {
    const minute = Math.floor(nowMs / 60_000);
    const isQuiet = (at: number): boolean => this.#scene === 'one' && at !== minute - 1;
    return Array.from({ length: count }, (_, ago) => minute - count + 1 + ago).map((at) => {
      const seconds = at === minute ? (nowMs % 60_000) / 1_000 : 60;
      return syntheticMinute(
        at,
        isQuiet(at)
          ? { ...this.#sizes, textsPerSecond: 0 }
          : {
              ...this.#sizes,
              textsPerSecond: this.#scene === 'one' ? 1 / seconds : this.#sizes.textsPerSecond,
            },
        seconds,
      );
    });
  }
}

function byClients({ clients, textsPerSecond }: SceneSizes): NonNullable<BoardEvent['byClients']> {
  if (textsPerSecond === 0) return [];
  const steps = [0.1, 0.25, 0.4, 0.5, 0.75, 0.9, 1].map((share) => Math.max(1, Math.round(clients * share)));
  return [...new Set(steps)].map((count, index) => {
    const total = Math.max(
      1,
      textsPerSecond * (0.55 + 0.45 * (count / clients) ** 0.3) * (0.95 + 0.1 * noise(count)),
    );
    return {
      clients: count,
      seconds: index === 1 ? 3 : 40 + count,
      textsPerSecond: total,
      textsPerSecondPerClient: total / count,
    };
  });
}
