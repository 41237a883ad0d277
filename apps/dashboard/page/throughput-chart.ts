import uPlot from 'uplot';
import { historyOf, type BoardView } from './board-memory.ts';
import { ChartCard, type LegendEntry } from './chart-card.ts';
import { colour } from './colours.ts';
import { sum } from './figures.ts';
import { LivePlot } from './live-plot.ts';
import { shortNumber } from './numerals.ts';
import { clockText, countAxis, countScale, timeAxis, veilFrom } from './plot-parts.ts';
import { isUnfinished, RANGES, timeBuckets, type Range, type TimeBucket } from './time-buckets.ts';
import { workerLabel } from './worker-rows.ts';
import { STACK_SIZE, withMinutes, WorkerSlots, type WorkerStack } from './worker-stack.ts';

/** Chunks end in lumps: 60 columns of a few seconds each are calm, and still of now. */
const BUCKET_SECONDS: Readonly<Record<Range, number>> = { '5min': 5, '1h': 60 };

const OTHERS = 'Other workers; and all of them, before the first second that is known';

const SLOTS = Array.from({ length: STACK_SIZE + 1 }, (_, slot) => slot);

/** Texts a second, stacked by worker. */
export class ThroughputChart {
  readonly #card = new ChartCard('throughput');
  readonly #slots = new WorkerSlots();
  readonly #plot: LivePlot;
  #buckets: readonly TimeBucket[] = [];
  #stack: WorkerStack = { workers: [], textsPerSecond: [] };
  #range: Range = '5min';
  #veil: number | undefined;
  #pointed: number | undefined;

  constructor() {
    const bars = uPlot.paths.bars?.({ size: [0.86, 60, 1], align: 1 });
    this.#plot = new LivePlot(this.#card.plot, {
      scales: { y: countScale },
      axes: [timeAxis, countAxis()],
      // The tallest sum first: each column covers the lower part of the one before.
      series: SLOTS.toReversed().map((slot) => ({
        label: slotName(slot),
        fill: () => colour(slotName(slot)),
        stroke: () => colour(slotName(slot)),
        width: 0,
        points: { show: false },
        ...(bars ? { paths: bars } : {}),
      })),
      onPoint: (index) => {
        this.#pointed = index;
        this.#writeLegend();
      },
      onDraw: (plot) => veilFrom(this.#veil)(plot),
    });
  }

  show(view: BoardView, range: Range): void {
    const { minutes } = view;
    const points = historyOf(view);
    const seconds = BUCKET_SECONDS[range];
    const buckets = timeBuckets(points, range, seconds);
    this.#range = range;
    this.#buckets = buckets;
    const stack = this.#slots.stack(buckets);
    this.#stack = seconds === 60 ? withMinutes(stack, buckets, minutes) : stack;
    const last = buckets.at(-1);
    this.#veil = last && isUnfinished(last, seconds) ? last.second : undefined;
    const rows = this.#stack.textsPerSecond;
    const upTo = (slot: number): (number | null)[] =>
      buckets.map((_, at) => {
        const parts = rows.slice(0, slot + 1).map((row) => row[at] ?? null);
        return parts.every((part) => part === null) ? null : sum(parts.map((part) => part ?? 0));
      });
    this.#plot.show([buckets.map(({ second }) => second), ...SLOTS.toReversed().map(upTo)]);
    this.#writeLegend();
    const isIdle = rows.every((row) => row.every((value) => !value));
    if (isIdle && points.length > 0) this.#card.setEmpty(`No text was encoded in ${RANGES[range].words}.`);
    else this.#card.setEmpty();
    this.#tell(range);
  }

  #tell(range: Range): void {
    const used = SLOTS.filter((slot) => this.#isUsed(slot));
    const rows = this.#stack.textsPerSecond[STACK_SIZE] ?? [];
    const at = this.#shown();
    const words = used.map((slot) => `${this.#label(slot)} ${this.#value(slot, at)}`).join(', ');
    this.#card.tell(`Texts per second by worker, ${RANGES[range].words}. Now: ${words || 'none'}.`, () => ({
      head: ['Time', ...used.map((slot) => this.#label(slot))],
      rows: this.#buckets
        .map(({ second }, index) => [
          clockText(second, range),
          ...used.map((slot) => this.#value(slot, index)),
        ])
        .filter((_, index) => rows[index] !== null)
        .toReversed(),
    }));
  }

  #writeLegend(): void {
    const at = this.#shown();
    const second = this.#buckets[at]?.second;
    this.#card.setMoment(
      this.#pointed === undefined || second === undefined ? '' : clockText(second, this.#range),
    );
    this.#card.setLegend(
      SLOTS.filter((slot) => this.#isUsed(slot)).map((slot): LegendEntry => ({
        name: slotName(slot),
        label: this.#label(slot),
        title: this.#stack.workers[slot] ?? OTHERS,
        key: 'area',
        value: this.#value(slot, at),
      })),
    );
  }

  /** The last bucket that is over, unless the pointer says which. */
  #shown(): number {
    return this.#pointed ?? this.#buckets.length - (this.#veil === undefined ? 1 : 2);
  }

  #isUsed(slot: number): boolean {
    const texts = sum((this.#stack.textsPerSecond[slot] ?? []).map((value) => value ?? 0));
    // What is rounded, or not told yet, is no worker.
    const least =
      slot === STACK_SIZE ? 0.005 * sum(this.#stack.textsPerSecond.flat().map((value) => value ?? 0)) : 0;
    return texts > least;
  }

  #label(slot: number): string {
    const workerId = this.#stack.workers[slot];
    return workerId === undefined ? 'others' : workerLabel(workerId);
  }

  #value(slot: number, at: number): string {
    return shortNumber(this.#stack.textsPerSecond[slot]?.[at] ?? undefined);
  }
}

function slotName(slot: number): string {
  return slot === STACK_SIZE ? 'others' : `worker-${slot + 1}`;
}
