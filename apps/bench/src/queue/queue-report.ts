import type { Setting } from '../machine.ts';
import { digits, markdownTable, percent } from '../markdown-table.ts';
import { REACH_HEADERS, reachCells, type Reach } from '../reach.ts';
import type { BesideBare, MeasuredCalls } from './measure-calls.ts';
import type { MeasuredChunks } from './measure-chunks.ts';
import { toMiB, type CorpusPass } from './measure-corpus.ts';
import type { MeasuredFairness } from './measure-fairness.ts';
import type { MeasuredLanes } from './measure-lanes.ts';
import type { Rate } from './queue-farm.ts';
import type { QueuePlot } from './queue-plots.ts';

/** What was asked for, case by case. */
export interface QueueMeasurements {
  readonly lanes?: MeasuredLanes;
  readonly fairness?: MeasuredFairness;
  /** One-text calls, each a job. */
  readonly calls?: MeasuredCalls;
  /** Those of a tick share a job. */
  readonly ticks?: MeasuredCalls;
  readonly chunks?: MeasuredChunks;
  readonly corpus?: readonly CorpusPass[];
}

/** All of a run: `queue.json`. */
export interface QueueReport extends Setting, QueueMeasurements {
  /** Too short to measure anything. */
  readonly quick: boolean;
  readonly reach: readonly Reach[];
}

/** The same for people: `queue.md`. */
export function queueMarkdown(report: QueueReport, plots: readonly QueuePlot[]): string {
  const { lanes, fairness, corpus, reach } = report;
  const rates = ratesOf(report);
  const blocks = [
    '# The way there and back',
    ...headOf(report),
    ...(reach.length > 0 ? ['## Reach', markdownTable(REACH_HEADERS, reach.map(reachCells))] : []),
    ...(lanes ? ['## Interactive calls beside bulk chunks', lanesTable(lanes)] : []),
    ...(fairness ? ['## A light client beside a heavy one', fairnessTable(fairness)] : []),
    ...(rates.length > 0
      ? [
          '## Beside BullMQ alone',
          ratesTable(rates),
          '## CPU seconds per 1,000 texts',
          cpuTable(rates, report.machine.cores),
        ]
      : []),
    ...(corpus ? ['## Many texts, there and back', corpusTable(corpus)] : []),
    ...plots.map(({ file, title }) => `![${title}](${file})`),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function headOf({ machine, versions, commit, command, date, quick }: QueueReport): string[] {
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`;
  return [
    ...(quick ? ['**A quick run: it shows that the bench works. Its numbers mean nothing.**'] : []),
    `${where}. ${libraries.join(', ')}. Commit ${commit}, ${date.slice(0, 10)}.`,
    `\`${command}\``,
    'One Redis (append-only file, flushed every second), one worker process, up to four processes of clients, all on ' +
      'these cores. Encoder and device are stand-ins: the engine’s own batcher, over a device that only takes its time ' +
      '(4 ms a batch and 13 ms for its 256 texts in the first two cases, none in the others) and gives vectors of 384 ' +
      'float32, which the clients check. Each number is the median over the measured rounds; ratios are taken within a ' +
      'round first. Rounds one by one: queue.json.',
  ];
}

function lanesTable({ callers, loads }: MeasuredLanes): string {
  const rows = loads.map(({ chunks, maxPauseMs, medians: { latency, bulkAlone, bulkBeside }, bulkLoss }) => [
    chunks,
    callers,
    maxPauseMs,
    ...[latency.p50Ms, latency.p95Ms, latency.p99Ms, bulkAlone, bulkBeside].map(digits),
    percent(bulkLoss),
  ]);
  const table = markdownTable(
    [
      'bulk chunks queued',
      'callers',
      'pauses up to ms',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'bulk texts/s without them',
      'with them',
      'lost',
    ],
    rows,
  );
  return (
    `${table}\n\nEach caller has one call of one text under way, and calls again after a pause, up to so long, each length as ` +
    'likely. Without a pause the callers fall into step with the device: each call takes one batch of bulk and one of ' +
    'its own, 21.2 ms at best.'
  );
}

function fairnessTable({ heavyChunks, everyMs, rounds, p50Batches, p99Batches }: MeasuredFairness): string {
  const rows = rounds.map(({ calls, unanswered, p50Ms, p99Ms, textsPerSecond }) => [
    heavyChunks,
    everyMs,
    calls,
    unanswered,
    ...[p50Ms, p99Ms, textsPerSecond].map(digits),
  ]);
  const table = markdownTable(
    [
      'chunks of the heavy client',
      'a chunk of the light one every ms',
      'calls',
      'without an answer',
      'p50 ms',
      'p99 ms',
      'texts/s of both',
    ],
    rows,
  );
  return (
    `${table}\n\nThe light client waits ${digits(p50Batches)} batch times in the median, ${digits(p99Batches)} in the ` +
    'p99. A call without an answer at the end counts with the time that it had waited.'
  );
}

type NamedRate = readonly [name: string, measured: BesideBare<Rate>];

function ratesOf({ calls, ticks, chunks }: QueueMeasurements): NamedRate[] {
  return [
    ...(calls ? [[`${calls.clients} clients, each call a job`, calls] as const] : []),
    ...(ticks ? [[`${ticks.clients} clients, ${ticks.callsAtOnce} calls a job`, ticks] as const] : []),
    ...(chunks ? [['chunks of 256, encode', chunks.encode] as const] : []),
    ...(chunks ? [['chunks of 256, submit and read', chunks.submit] as const] : []),
  ];
}

function ratesTable(rates: readonly NamedRate[]): string {
  const rows = rates.map(([name, { farm, bare, ratio }]) => [
    name,
    ...[farm.perSecond, bare.perSecond, ratio].map(digits),
  ]);
  const table = markdownTable(['load', 'texts/s', 'BullMQ alone, texts/s', 'ratio'], rows);
  return (
    `${table}\n\nBullMQ alone drains a queue that was filled before: jobs with the same data and options, as many ` +
    'workers with the same concurrency, which return null. No vectors, no results, no answers to anybody.'
  );
}

function cpuTable(rates: readonly NamedRate[], cores: number): string {
  const rows = rates.flatMap(([name, { farm, bare }]) => [
    [name, ...cpuCells(farm, cores)],
    [`the same, BullMQ alone`, ...cpuCells(bare, cores)],
  ]);
  const allowed = `texts/s that ${cores} cores allow`;
  return markdownTable(['load', 'redis', 'worker', 'clients', 'all', allowed], rows);
}

function cpuCells(
  { cpuSecondsPerThousand: { redis = 0, worker = 0, clients = 0 } }: Rate,
  cores: number,
): string[] {
  const all = redis + worker + clients;
  return [
    ...[redis, worker, clients, all].map((seconds) => seconds.toFixed(4)),
    digits((cores * 1_000) / all),
  ];
}

function corpusTable(corpus: readonly CorpusPass[]): string {
  const rows = corpus.map((pass) => [
    pass.way,
    pass.texts,
    ...[pass.submit, pass.encode, pass.read, pass.seconds].map(digits),
    digits(pass.texts / pass.seconds),
    toMiB(pass.redisPeakBytes),
    toMiB(pass.rssGrowthBytes),
    ...['redis', 'worker', 'clients'].map((name) => digits(pass.cpuSeconds[name] ?? 0)),
  ]);
  const table = markdownTable(
    [
      'way',
      'texts',
      'submit s',
      'encode s',
      'read s',
      'all s',
      'texts/s',
      'Redis peak MiB',
      'SDK growth MiB',
      'CPU s redis',
      'worker',
      'clients',
    ],
    rows,
  );
  return (
    `${table}\n\n\`phases\`: submitted from an iterable, encoded to the end, then read and deleted by chunks, so that ` +
    'Redis holds all of it at once (the worker encodes while texts are submitted: `encode` is what is left then). ' +
    '`together`: read and deleted while it is submitted and encoded. `stream`: encodeStream.'
  );
}
