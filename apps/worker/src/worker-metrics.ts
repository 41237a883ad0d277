import { LANES, type Lane, type ModelRegistration } from '@embedfarm/contract';
import type { BatchEnd } from '@embedfarm/engine/batch/batch-end';
import type { JobEnd } from '@embedfarm/farm/worker';
import { ProcessMetrics } from '@embedfarm/service/process-metrics';
import { Counter, Gauge, Histogram } from 'prom-client';

/** From a lone text on a fast card to a bulk chunk that waited for its deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const TOKENS = [16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768];
const SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** What a worker is at the moment of a scrape. */
export interface WorkerFigures {
  readonly waitingTexts: number;
  readonly backlogMs: number;
  readonly heldJobs: number;
  readonly devicesLost: number;
  isRedisUp(): Promise<boolean>;
}

/**
 * The metrics of one worker. Events come in as they happen, the rest is read when somebody asks. A job costs 2 µs, of
 * the 180 µs that a worker spends on one of one text besides encoding it.
 */
export class WorkerMetrics {
  readonly #process = new ProcessMetrics('worker');
  readonly #registers = [this.#process.registry];
  readonly #jobs = this.#counter('farm_jobs_total', 'Jobs that left the worker, by how they ended.', [
    'lane',
    'outcome',
  ]);
  readonly #texts = this.#counter(
    'farm_texts_total',
    'Texts that got a vector, from a device or from the cache.',
    ['lane'],
  );
  readonly #tokens = this.#counter('farm_tokens_total', 'Tokens of the texts of jobs that are done.', [
    'lane',
  ]);
  readonly #failures = this.#counter('farm_failed_texts_total', 'Texts that failed, by code.', [
    'lane',
    'code',
  ]);
  readonly #retries = this.#counter('farm_retries_total', 'Jobs to be tried again, by code.', [
    'lane',
    'code',
  ]);
  readonly #suspects = this.#counter(
    'farm_suspect_runs_total',
    'Jobs that ran alone, as a worker had died with them.',
  );
  readonly #lookups = this.#counter(
    'farm_cache_lookups_total',
    'Texts looked up in the cache by this worker.',
  );
  readonly #hits = this.#counter(
    'farm_cache_hits_total',
    'Texts that the cache had, of those that this worker looked up.',
  );
  readonly #busy = this.#counter('farm_device_busy_seconds_total', 'Time in which a device ran batches.', [
    'device',
  ]);
  readonly #padding = this.#counter(
    'farm_slot_tokens_total',
    'Rows of batches times their longest row: tokens and padding.',
  );
  readonly #realTokens = this.#counter(
    'farm_device_tokens_total',
    'Tokens that devices ran, without padding.',
  );
  readonly #queue = this.#seconds(
    'farm_queue_seconds',
    'From the enqueue of a job to the worker that takes it.',
  );
  readonly #tokenize = this.#seconds('farm_tokenize_seconds', 'Tokenizing a chunk.');
  readonly #batchWait = this.#seconds(
    'farm_batch_wait_seconds',
    'From the tokenized chunk to its first batch.',
  );
  readonly #device = this.#seconds(
    'farm_device_seconds',
    'From the first batch of a chunk to the end of its last.',
  );
  readonly #store = this.#seconds('farm_store_seconds', 'Storing and announcing the result of a chunk.');
  readonly #total = this.#seconds('farm_job_seconds', 'From the enqueue of a job to its stored result.');
  readonly #batchTexts = this.#histogram(
    'farm_batch_texts',
    'Texts of a batch.',
    [1, 2, 4, 8, 16, 32, 64, 128, 256],
  );
  readonly #batchTokens = this.#histogram('farm_batch_tokens', 'Real tokens of a batch.', TOKENS);
  readonly #fill = this.#histogram(
    'farm_batch_fill_ratio',
    "Tokens of a batch by its device's budget.",
    SHARES,
  );
  readonly #paddingShare = this.#histogram('farm_batch_padding_ratio', 'Share of padding in a batch.', [
    0,
    ...SHARES,
  ]);

  constructor() {
    // A series that is there from the start can be told from one that is missing.
    for (const lane of LANES) {
      this.#texts.inc({ lane }, 0);
      this.#tokens.inc({ lane }, 0);
      for (const outcome of ['done', 'failed']) this.#jobs.inc({ lane, outcome }, 0);
    }
  }

  /** What is read at each scrape from now on. */
  watch(registration: ModelRegistration, devices: readonly string[], figures: WorkerFigures): void {
    const { model, fingerprint, dtype } = registration;
    this.#process.tellBuild({ model, fingerprint, dtype });
    for (const device of devices) this.#busy.inc({ device }, 0);
    this.#gauge('farm_waiting_texts', 'Texts in the waiting line.', () => figures.waitingTexts);
    this.#gauge(
      'farm_waiting_seconds',
      'How long the work in the line and on the devices takes, estimated.',
      () => figures.backlogMs / 1_000,
    );
    this.#gauge('farm_held_jobs', 'Jobs that the worker has in hand.', () => figures.heldJobs);
    const lost: Counter = new Counter({
      name: 'farm_devices_lost_total',
      help: 'Devices that were lost, and opened again.',
      registers: this.#registers,
      collect: (): void => {
        lost.reset();
        lost.inc(figures.devicesLost);
      },
    });
    this.#gauge('farm_redis_up', '1 while Redis answers, else 0.', async () =>
      (await figures.isRedisUp()) ? 1 : 0,
    );
  }

  jobEnded(end: JobEnd): void {
    const { lane, outcome, timing, storeMs, totalMs } = end;
    this.#jobs.inc({ lane, outcome });
    this.#queue[lane].observe(timing.queueMs / 1_000);
    if (end.isSuspect) this.#suspects.inc();
    if (outcome === 'retried') this.#retries.inc({ lane, code: end.code ?? 'internal' });
    let failed = 0;
    for (const { code, texts } of end.failures) {
      failed += texts;
      this.#failures.inc({ lane, code }, texts);
    }
    if (outcome !== 'done') return;
    this.#texts.inc({ lane }, end.texts - failed);
    this.#tokens.inc({ lane }, end.tokens);
    this.#tokenize[lane].observe(timing.tokenizeMs / 1_000);
    this.#batchWait[lane].observe(timing.batchWaitMs / 1_000);
    this.#device[lane].observe(timing.deviceMs / 1_000);
    this.#store[lane].observe(storeMs / 1_000);
    this.#total[lane].observe(totalMs / 1_000);
  }

  batchEnded({ devices, texts, tokens, slotTokens, tokenBudget, durationMs }: BatchEnd): void {
    for (const device of devices) this.#busy.inc({ device }, durationMs / 1_000);
    this.#realTokens.inc(tokens);
    this.#padding.inc(slotTokens);
    this.#batchTexts.observe(texts);
    this.#batchTokens.observe(tokens);
    // A text that is longer than the budget runs all the same, alone.
    this.#fill.observe(Math.min(1, tokens / tokenBudget));
    this.#paddingShare.observe(1 - tokens / slotTokens);
  }

  cacheLookedUp({ lookups, hits }: { lookups: number; hits: number }): void {
    this.#lookups.inc(lookups);
    this.#hits.inc(hits);
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#process.text();
  }

  #counter<Label extends string = never>(
    name: string,
    help: string,
    labelNames: Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: this.#registers });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: this.#registers });
  }

  /** One histogram, by lane. */
  #seconds(name: string, help: string): Record<Lane, Histogram.Internal<'lane'>> {
    const registers = this.#registers;
    const histogram = new Histogram({ name, help, buckets: SECONDS, labelNames: ['lane'], registers });
    return { interactive: histogram.labels('interactive'), bulk: histogram.labels('bulk') };
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: this.#registers,
      collect: async (): Promise<void> => gauge.set(await read()),
    });
  }
}
