import type { Lane } from '@embedfarm/contract';
import type { BoardView, MinuteStats } from './board-memory.ts';
import { bucketsOf, LATENCY_EDGES_MS, mergeHistograms, quantile } from './histogram.ts';

export const LANES = ['interactive', 'bulk'] as const satisfies readonly Lane[];

/** Chunks end in lumps; over so many seconds a figure is calm and still of now. */
const FIGURE_SECONDS = 5;
const LATENCY_MINUTES = 5;

/** By the name of the figure; undefined where nothing is known. Durations in ms, shares from 0 to 1. */
export type Figures = Readonly<Record<FigureName, number | undefined>>;

export type FigureName =
  | `waiting-${'texts' | 'tokens'}${'' | `-${Lane}`}`
  | `${'p50' | 'p95'}-${Lane}`
  | 'clears-in'
  | 'oldest'
  | 'texts-per-second'
  | 'tokens-per-second'
  | 'workers-alive'
  | 'workers-busy'
  | 'clients'
  | 'failures'
  | 'cache-hits'
  | 'cache-lookups';

export function figuresOf(view: BoardView): Figures {
  const { status, waiting, points, minutes } = view;
  const newest = points.slice(-FIGURE_SECONDS);
  const lookups = status?.cache.lookups;
  return {
    'waiting-texts': both((lane) => waiting?.[lane].texts),
    'waiting-texts-interactive': waiting?.interactive.texts,
    'waiting-texts-bulk': waiting?.bulk.texts,
    'waiting-tokens': both((lane) => waiting?.[lane].tokens),
    'waiting-tokens-interactive': waiting?.interactive.tokens,
    'waiting-tokens-bulk': waiting?.bulk.tokens,
    'clears-in': clearsInMs(waiting),
    oldest: waiting ? Math.max(waiting.interactive.oldestMs ?? 0, waiting.bulk.oldestMs ?? 0) : undefined,
    'texts-per-second': mean(newest.map(({ texts }) => texts)),
    'tokens-per-second': mean(newest.map(({ tokens }) => tokens)),
    'p50-interactive': latencyMs(minutes, 'interactive', 0.5),
    'p95-interactive': latencyMs(minutes, 'interactive', 0.95),
    'p50-bulk': latencyMs(minutes, 'bulk', 0.5),
    'p95-bulk': latencyMs(minutes, 'bulk', 0.95),
    'workers-alive': status?.aliveWorkers,
    'workers-busy': status?.busyWorkers,
    clients: status?.clients,
    failures: status ? failuresOf(minutes) : undefined,
    'cache-hits': status && lookups ? status.cache.hits / lookups : undefined,
    'cache-lookups': lookups,
  };
}

/** From submit to vector, over the newest minutes; an older minute is no news of now. */
export function latencyMs(minutes: readonly MinuteStats[], lane: Lane, share: number): number | undefined {
  const newest = minutes.at(-1)?.minute ?? 0;
  const recent = minutes.filter(({ minute }) => minute > newest - LATENCY_MINUTES);
  const histogram = mergeHistograms(recent.map(({ lanes }) => lanes[lane].latencyMs));
  return quantile(bucketsOf(histogram, LATENCY_EDGES_MS), share);
}

function failuresOf(minutes: readonly MinuteStats[]): number {
  return sum(minutes.flatMap(({ failures }) => Object.values(failures)));
}

/** Undefined while something waits and nothing runs. */
function clearsInMs(waiting: BoardView['waiting']): number | undefined {
  if (!waiting) return undefined;
  const seconds = LANES.map((lane) => (waiting[lane].jobs === 0 ? 0 : waiting[lane].clearSeconds));
  // JSON leaves out what is undefined.
  return seconds.every((each) => typeof each === 'number') ? Math.max(...seconds) * 1_000 : undefined;
}

function both(of: (lane: Lane) => number | undefined): number | undefined {
  const [interactive, bulk] = LANES.map(of);
  return interactive === undefined || bulk === undefined ? undefined : interactive + bulk;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function mean(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : sum(numbers) / numbers.length;
}
