import type { LoadResult } from './load-result.ts';
import type { Setting } from './machine.ts';
import type { MeasuredCase } from './measure-case.ts';
import { digits, markdownTable, percent } from './markdown-table.ts';
import { REACH_HEADERS, reachCells } from './reach.ts';
import type { CaseSummary } from './summary.ts';

/** All of a run: `farm.json`. */
export interface BenchReport extends Setting {
  /** Too short to measure anything. */
  readonly quick: boolean;
  readonly seed: number;
  readonly devices: string;
  readonly summaries: readonly CaseSummary[];
  readonly cases: readonly MeasuredCase[];
}

/** The same for people: `farm.md`. */
export function reportMarkdown(report: BenchReport): string {
  const { summaries } = report;
  const blocks = [
    '# Engine and farm under the same load',
    ...headOf(report),
    '## Reach',
    summaries.some(({ reach }) => reach.length > 0) ? reachTable(summaries) : 'No targets for these models.',
    '## Bulk: one call',
    bulkTable(summaries),
    '## One text, nothing else running',
    singleTable(summaries),
    '## Many clients, each one text at a time',
    loopTable(summaries),
    "## The worker's main loop under full load",
    delayTable(summaries),
    '## CPU seconds per 1,000 texts',
    cpuTable(summaries),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function headOf({ machine, versions, commit, command, date, quick, seed, devices }: BenchReport): string[] {
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`;
  return [
    ...(quick ? ['**A quick run: it shows that the bench works. Its numbers mean nothing.**'] : []),
    `${where}. ${libraries.join(', ')}. Commit ${commit}, ${date.slice(0, 10)}. Devices \`${devices}\`, seed ${seed}.`,
    `\`${command}\``,
    'Models of known shapes with random weights: tiny 2 × 128, minilm 6 × 384, base 12 × 768 (layers × hidden size), ' +
      'float32. `engine` is the engine alone in a process; `sdk` goes through Redis to one worker process; both have ' +
      'the same cores, and so have Redis and the clients. They run in turn. Each number is the median over the ' +
      'measured rounds; ratios and differences are taken within a round first. `mix` has lognormal lengths with a ' +
      'median of 24 tokens and a p99 of 200, `uniform-40` has 40 tokens in every text. Engine and sdk gave the same ' +
      'vectors in every round, bit for bit. Rounds one by one: farm.json.',
  ];
}

function reachTable(summaries: readonly CaseSummary[]): string {
  const rows = summaries.flatMap(({ shape, workload, reach }) =>
    reach.map((one) => [shape, workload, ...reachCells(one)]),
  );
  return markdownTable(['model', 'workload', ...REACH_HEADERS], rows);
}

function bulkTable(summaries: readonly CaseSummary[]): string {
  const rows = summaries.flatMap(({ shape, workload, bulkTexts, bulkRatio, medians }) => [
    [shape, workload, bulkTexts, 'engine', ...loadCells(medians.engine.bulk), '1.00'],
    [shape, workload, bulkTexts, 'sdk', ...loadCells(medians.sdk.bulk), digits(bulkRatio)],
  ]);
  return markdownTable(['model', 'workload', 'texts', 'target', ...LOAD_HEADERS, 'sdk ÷ engine'], rows);
}

function singleTable(summaries: readonly CaseSummary[]): string {
  const rows = summaries.flatMap(({ shape, workload, singleAddedMs, medians }) =>
    (['engine', 'sdk'] as const).map((target) => {
      const { p50Ms, p95Ms, p99Ms } = medians[target].single;
      const added = target === 'engine' ? '0.00' : digits(singleAddedMs);
      return [shape, workload, target, ...[p50Ms, p95Ms, p99Ms].map(digits), added];
    }),
  );
  return markdownTable(['model', 'workload', 'target', 'p50 ms', 'p95 ms', 'p99 ms', 'added ms'], rows);
}

function loopTable(summaries: readonly CaseSummary[]): string {
  const rows = summaries.map(({ shape, workload, loopRatio, loopTokensRatio, medians }) => {
    const { loop } = medians.sdk;
    const { min, median, max } = loop.perClient;
    const { p50Ms, p95Ms, p99Ms } = loop.latency;
    return [
      shape,
      workload,
      loop.clients,
      ...loadCells(loop),
      `${digits(min)} / ${digits(median)} / ${digits(max)}`,
      ...[p50Ms, p95Ms, p99Ms, loopRatio, loopTokensRatio].map(digits),
    ];
  });
  return markdownTable(
    [
      'model',
      'workload',
      'clients',
      ...LOAD_HEADERS,
      'texts/s per client, min / median / max',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      '÷ bulk, texts/s',
      '÷ bulk, tokens/s',
    ],
    rows,
  );
}

const LOAD_HEADERS = ['texts/s', 'tokens/s', 'tokens per batch', 'batch fill', 'padding', 'device busy'];

function loadCells({ textsPerSecond, tokensPerSecond, work }: LoadResult): string[] {
  return [
    ...[textsPerSecond, tokensPerSecond, work.tokensPerBatch].map(digits),
    ...[work.batchFill, work.paddingShare, work.busyShare].map(percent),
  ];
}

function delayTable(summaries: readonly CaseSummary[]): string {
  const rows = summaries.flatMap(({ shape, workload, medians: { sdk } }) =>
    (
      [
        ['bulk', sdk.bulk],
        [`${sdk.loop.clients} clients`, sdk.loop],
      ] as const
    ).map(([load, { loopDelay }]) => {
      const { p50Ms, p99Ms, maxMs } = loopDelay;
      return [shape, workload, load, ...[p50Ms, p99Ms, maxMs].map(digits)];
    }),
  );
  return markdownTable(['model', 'workload', 'load', 'p50 ms', 'p99 ms', 'max ms'], rows);
}

function cpuTable(summaries: readonly CaseSummary[]): string {
  const rows = summaries.flatMap(({ shape, workload, medians: { engine, sdk } }) => {
    const loads: [string, LoadResult][] = [
      ['engine, bulk', engine.bulk],
      ['sdk, bulk', sdk.bulk],
      [`sdk, ${sdk.loop.clients} clients`, sdk.loop],
    ];
    return loads.map(([load, { cpuSeconds, texts }]) => {
      const parts = [
        cpuSeconds['engine'] ?? cpuSeconds['worker'],
        cpuSeconds['redis'],
        cpuSeconds['clients'],
      ];
      return [shape, workload, load, ...parts.map((seconds = 0) => digits((seconds * 1_000) / texts))];
    });
  });
  return markdownTable(['model', 'workload', 'load', 'engine or worker', 'redis', 'clients'], rows);
}
