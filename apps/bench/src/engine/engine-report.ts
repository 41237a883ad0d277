import type { Setting } from '../machine.ts';
import { digits, markdownTable, percent } from '../markdown-table.ts';
import { median } from '../percentile.ts';
import { REACH_HEADERS, reachCells } from '../reach.ts';
import type { Agreement } from './agreement.ts';
import type { Curve } from './curves.ts';
import type { EnginePlot } from './engine-plots.ts';
import type { EngineReach } from './engine-targets.ts';
import type { MemoryResult } from './memory.ts';
import type { PeakResult } from './peak.ts';
import type { SoakResult } from './soak.ts';
import type { SpeedResult } from './speed.ts';
import type { ThreadsResult } from './threads.ts';

/** What the sections measured; a section that was left out is empty. */
export interface EngineMeasurements {
  readonly agreements: readonly (Agreement & { readonly shape: string })[];
  readonly speed: readonly SpeedResult[];
  readonly lengths: readonly Curve[];
  readonly batches: readonly Curve[];
  readonly farm: readonly Curve[];
  readonly threads: readonly ThreadsResult[];
  readonly peak: readonly PeakResult[];
  readonly memory: readonly MemoryResult[];
  readonly soak: readonly SoakResult[];
}

/** All of a run: `engine.json`. */
export interface EngineReport extends Setting, EngineMeasurements {
  /** Too short to measure anything. */
  readonly quick: boolean;
  readonly seed: number;
  readonly devices: string;
  readonly rounds: number;
  readonly minutes: number;
  readonly reach: readonly EngineReach[];
}

/** The same for people: `engine.md`. `plots` lie beside it. */
export function engineMarkdown(report: EngineReport, plots: readonly EnginePlot[]): string {
  const sections: [string, string | undefined][] = [
    ['## Reach', reachTable(report.reach)],
    ['## Texts per second', speedTable(report.speed)],
    ['## By sequence length, by texts per call', plotLinks(plots)],
    ['## The same vectors', agreementTable(report.agreements)],
    ['## Threads', threadsTable(report.threads)],
    ['## Share of the machine', peakTable(report.peak)],
    ['## Memory', memoryTable(report.memory)],
    ['## Memory over time', soakTable(report.soak)],
    ['## Numbers of the plots', curvesTable([...report.lengths, ...report.batches, ...report.farm], report)],
  ];
  const blocks = sections.flatMap(([title, body]) => (body === undefined ? [] : [title, body]));
  return `${['# The engine and transformers.js with the same weights', ...headOf(report), ...blocks].join('\n\n')}\n`;
}

function headOf(report: EngineReport): string[] {
  const { machine, versions, commit, command, date, quick, seed, devices, rounds, minutes } = report;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`;
  return [
    ...(quick ? ['**A quick run: it shows that the bench works. Its numbers mean nothing.**'] : []),
    `${where}. ${libraries.join(', ')}. Commit ${commit}, ${date.slice(0, 10)}. Devices \`${devices}\`, seed ${seed}, ` +
      `${rounds} rounds, ${digits(minutes)} minutes.`,
    `\`${command}\``,
    'Models of known shapes with random weights: tiny 2 × 128, minilm 6 × 384, base 12 × 768 (layers × hidden size). ' +
      'Both take the same strings and give mean vectors of length 1; tokenization counts on both sides. `b8` are calls ' +
      'of 8 texts, which transformers.js runs as one batch. Each number is the median over the rounds, which measure ' +
      'all in turn; ratios are taken within a round first. `mix` has lognormal lengths with a median of 24 tokens and ' +
      'a p99 of 200, `uniform-40` has 40 tokens in every text. How it measures: README.md beside this file.',
  ];
}

export function reachTable(reach: readonly EngineReach[]): string {
  if (reach.length === 0) return 'No targets for what was measured.';
  const rows = reach.map((one) => [one.shape, one.workload, ...reachCells(one)]);
  return markdownTable(['model', 'workload', ...REACH_HEADERS], rows);
}

export function speedTable(speed: readonly SpeedResult[]): string | undefined {
  const rows = speed.flatMap(({ shape, workload, tokensPerText, ways, ratios }) =>
    ways.map(({ key, group, callTexts, rates, isLeftOut }) => {
      const rate = median(rates);
      const against = ratios.find(
        (ratio) =>
          ratio.against === group && ratio.callTexts === callTexts && group.endsWith(dtypeName(ratio.dtype)),
      );
      return [
        shape,
        workload,
        isLeftOut ? `${key} (warm-up)` : key,
        digits(rate),
        digits(rate * tokensPerText),
        against === undefined ? '–' : digits(against.value),
      ];
    }),
  );
  return tableOf(['model', 'workload', 'what', 'texts/s', 'tokens/s', 'embedfarm ÷ this'], rows);
}

/** Ours of a dtype is set beside theirs of the same. */
function dtypeName(dtype: string): string {
  return dtype === 'int8' ? 'q8' : dtype;
}

function plotLinks(plots: readonly EnginePlot[]): string | undefined {
  return plots.length === 0 ? undefined : plots.map(({ file, title }) => `![${title}](${file})`).join('\n\n');
}

function agreementTable(agreements: EngineReport['agreements']): string | undefined {
  const rows = agreements.map(({ shape, contender, texts, minCosine, maxDifference }) => [
    shape,
    contender,
    texts,
    minCosine.toFixed(7),
    maxDifference.toExponential(1),
  ]);
  return tableOf(['model', 'beside embedfarm fp32', 'texts', 'least cosine', 'largest difference'], rows);
}

function threadsTable(threads: readonly ThreadsResult[]): string | undefined {
  const rows = threads.map(({ shape, ways, ratio }) => [
    shape,
    ...ways.map(({ rates }) => digits(median(rates))),
    digits(ratio),
  ]);
  return tableOf(['model', 'one device, texts/s', 'two, texts/s', 'two ÷ one'], rows);
}

function peakTable(peak: readonly PeakResult[]): string | undefined {
  const rows = peak.map(({ shape, threads, matrices, peakGflops, usefulGflops, share }) => [
    shape,
    threads,
    `${matrices.rows} × ${matrices.inner} × ${matrices.outer}`,
    digits(peakGflops),
    digits(usefulGflops),
    percent(share),
  ]);
  return tableOf(
    ['model', 'threads', 'fastest MatMul', 'its GFLOP/s', 'useful GFLOP/s of the engine', 'share'],
    rows,
  );
}

function memoryTable(memory: readonly MemoryResult[]): string | undefined {
  const cells = (held: MemoryResult['one']): string[] =>
    [held.proportionalBytes, held.anonymousBytes, held.residentBytes].map((bytes) => digits(bytes / 2 ** 20));
  const rows = memory.flatMap(({ shape, one, added }) => [
    [shape, 'a process with one device', ...cells(one)],
    [shape, 'what a second device adds', ...cells(added)],
  ]);
  return tableOf(['model', 'what', 'MiB, each page once', 'MiB of no file', 'MiB resident'], rows);
}

function soakTable(soak: readonly SoakResult[]): string | undefined {
  const rows = soak.map(({ shape, minutes, texts, samples, riseMib, slopeMibPerHour }) => [
    shape,
    minutes,
    texts,
    ...[samples.at(-1)?.residentMib ?? Number.NaN, riseMib, slopeMibPerHour].map(digits),
  ]);
  const headers = [
    'model',
    'minutes',
    'texts',
    'MiB at the end',
    'MiB more in the second half',
    'MiB an hour',
  ];
  return tableOf(headers, rows);
}

function curvesTable(curves: readonly Curve[], { lengths }: EngineReport): string | undefined {
  const rows = curves.map((curve) => [
    curve.shape,
    lengths.includes(curve) ? 'tokens a text' : 'texts a call',
    curve.group,
    curve.points.map(({ at, textsPerSecond }) => `${at}: ${digits(textsPerSecond)}`).join(', '),
  ]);
  return tableOf(['model', 'by', 'what', 'texts/s'], rows);
}

function tableOf(
  headers: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string | undefined {
  return rows.length === 0 ? undefined : markdownTable(headers, rows);
}
