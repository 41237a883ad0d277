import type { EncodeJob, Lane, VectorBlock } from '@embedfarm/contract';
import type { FinishedBatch } from '../worker/encoder.ts';
import { FILL_PERCENT, LATENCY_MS, LENGTH_TOKENS } from './buckets.ts';
import { failureSample, sampleField, type FailureSample } from './failure-sample.ts';
import { failedField, MINUTE_FIELDS } from './minute-fields.ts';
import { MinuteSums } from './minute-sums.ts';

/** Clients whose texts are kept apart between two writes. */
const MAX_CLIENTS = 10_000;

/** A chunk that this worker has settled: for the first time, and not by a cancellation. */
export interface SettledChunk {
  readonly job: Pick<EncodeJob, 'requestId' | 'clientId' | 'texts'>;
  readonly lane: Lane;
  readonly model: string;
  readonly status: 'done' | 'failed';
  readonly block: VectorBlock;
  /** Storing and announcing. */
  readonly storeMs: number;
  /** From the enqueue to the end. */
  readonly totalMs: number;
}

/** What a worker has done since it told Redis last. */
export class WorkerSums {
  readonly minute = new MinuteSums();
  /** Texts with a vector, by client. */
  readonly clients = new Map<string, number>();
  /** The last failure of each code. */
  readonly samples = new Map<string, FailureSample>();

  get isEmpty(): boolean {
    return this.minute.isEmpty;
  }

  addChunk(chunk: SettledChunk, nowMs: number): void {
    const { job, lane, status, block, storeMs, totalMs } = chunk;
    const { minute } = this;
    const fields = MINUTE_FIELDS.lanes[lane];
    const failed = this.#addFailures(chunk, nowMs);
    const texts = block.tokens.length - failed;
    if (failed > 0) minute.add(fields.failed, failed);
    this.#addTexts(lane, block);
    if (texts > 0) {
      minute.add(fields.texts, texts);
      this.#addClient(job.clientId, texts);
    }
    if (status !== 'done') return;
    const { queueMs, tokenizeMs, batchWaitMs, deviceMs } = block.timing;
    minute.add(fields.chunks, 1);
    minute.add(fields.queueUs, queueMs * 1_000);
    minute.add(fields.tokenizeUs, tokenizeMs * 1_000);
    minute.add(fields.batchWaitUs, batchWaitMs * 1_000);
    minute.add(fields.deviceUs, deviceMs * 1_000);
    minute.add(fields.storeUs, storeMs * 1_000);
    minute.add(fields.latency[LATENCY_MS.indexOf(totalMs)] ?? '', 1);
  }

  addBatch({ tokens, slotTokens, tokenBudget }: FinishedBatch): void {
    this.minute.add(MINUTE_FIELDS.batches, 1);
    this.minute.add(MINUTE_FIELDS.batchTokens, tokens);
    this.minute.add(MINUTE_FIELDS.slotTokens, slotTokens);
    this.minute.add(MINUTE_FIELDS.budgetTokens, tokenBudget);
    const percent = (100 * tokens) / tokenBudget;
    this.minute.add(MINUTE_FIELDS.fill[FILL_PERCENT.indexOf(percent)] ?? '', 1);
  }

  addLookups({ lookups, hits }: { lookups: number; hits: number }): void {
    this.minute.add(MINUTE_FIELDS.cacheLookups, lookups);
    this.minute.add(MINUTE_FIELDS.cacheHits, hits);
  }

  /** What could not be told goes before what has been done since. */
  putBack(older: WorkerSums): void {
    this.minute.merge(older.minute);
    for (const [clientId, texts] of older.clients) this.#addClient(clientId, texts);
    for (const [field, sample] of older.samples)
      if (!this.samples.has(field)) this.samples.set(field, sample);
  }

  #addTexts(lane: Lane, { tokens, truncated }: VectorBlock): void {
    const { minute } = this;
    let all = 0;
    let cut = 0;
    for (const [index, count] of tokens.entries()) {
      // A text that failed before it was tokenized has no length.
      if (count === 0) continue;
      all += count;
      cut += truncated[index] ?? 0;
      minute.add(MINUTE_FIELDS.lengths[LENGTH_TOKENS.indexOf(count)] ?? '', 1);
    }
    if (all > 0) minute.add(MINUTE_FIELDS.lanes[lane].tokens, all);
    if (cut > 0) minute.add(MINUTE_FIELDS.truncated, cut);
  }

  #addClient(clientId: string, texts: number): void {
    const known = this.clients.get(clientId);
    if (known !== undefined || this.clients.size < MAX_CLIENTS)
      this.clients.set(clientId, (known ?? 0) + texts);
  }

  /** @returns the number of texts. */
  #addFailures({ job, model, block: { failures } }: SettledChunk, atMs: number): number {
    const { requestId, texts } = job;
    let failed = 0;
    for (const { code, message, texts: indices } of failures) {
      failed += indices.length;
      this.minute.add(failedField(code, model), indices.length);
      const last = indices.at(-1);
      const text = last === undefined ? undefined : texts[last];
      const failure = { code, model, message, text, requestId, atMs };
      this.samples.set(sampleField(failure), failureSample(failure));
    }
    return failed;
  }
}
