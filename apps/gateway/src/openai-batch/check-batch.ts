import { randomUUID } from 'node:crypto';
import { FarmError } from '@embedfarm/contract';
import type { FileStore, KeptFile } from '@embedfarm/farm/files';
import type { BatchStore } from '@embedfarm/farm/batches';
import type { FarmStatus } from '@embedfarm/sdk';
import { MAX_BATCH_GROUPS, MAX_BATCH_LINES, MAX_BATCH_TEXTS, MAX_TOLD_FAULTS } from './batch-limits.ts';
import type { BatchFault, BatchGroup, BatchRecord } from './batch-record.ts';
import { inputLines, type InputLine } from './input-lines.ts';
import { LineIndexWriter } from './line-index.ts';
import { readCall, readLine, type LineCall } from './read-line.ts';

export interface CheckPorts {
  readonly files: FileStore;
  readonly batches: BatchStore;
  readonly models: FarmStatus['models'];
  readonly batchId: string;
  readonly ttlMs: number;
  readonly signal: AbortSignal;
}

/** What a look at the input has given. With faults nothing is to be run. */
export type CheckedBatch = Pick<BatchRecord, 'faults' | 'groups' | 'refused' | 'counts'> & {
  readonly index: string;
};

/**
 * Reads the input once. A file that is no list of calls has faults; a call that `POST /v1/embeddings` would refuse fails
 * alone. Calls with the same model, dimensions and kind of input make a group.
 */
export async function checkBatch(file: KeptFile, ports: CheckPorts): Promise<CheckedBatch> {
  const check = new BatchCheck(ports);
  try {
    for await (const line of inputLines(ports.files.slices(file, ports.signal))) {
      if (!(await check.take(line))) break;
    }
  } catch (thrown) {
    const { code, detail } = FarmError.from(thrown);
    if (code !== 'invalid_argument') throw thrown;
    check.tell('invalid_line', detail, null);
  }
  return await check.end();
}

class BatchCheck {
  readonly #ports: CheckPorts;
  readonly #index = randomUUID();
  readonly #writer: LineIndexWriter;
  readonly #faults: BatchFault[] = [];
  readonly #customIds = new Set<string>();
  readonly #groups = new Map<string, { number: number; call: LineCall; lines: number; texts: number }>();
  #lines = 0;
  #texts = 0;
  #refused = 0;

  constructor(ports: CheckPorts) {
    this.#ports = ports;
    const { batches, batchId, ttlMs } = ports;
    this.#writer = new LineIndexWriter({ batches, batchId, name: this.#index }, ttlMs);
  }

  /** @returns whether there is sense in going on. */
  async take(input: InputLine): Promise<boolean> {
    const { line } = input;
    this.#lines += 1;
    if (this.#lines > MAX_BATCH_LINES) {
      this.tell('too_many_lines', `the file has more than ${MAX_BATCH_LINES} lines, the limit`, null);
      return false;
    }
    const read = this.#read(input);
    if (read === undefined) return this.#faults.length < MAX_TOLD_FAULTS;
    const { custom_id: customId } = read;
    if (this.#customIds.has(customId)) {
      this.tell(
        'duplicate_custom_id',
        `custom_id ${JSON.stringify(customId)} is there twice`,
        line,
        'custom_id',
      );
      return this.#faults.length < MAX_TOLD_FAULTS;
    }
    this.#customIds.add(customId);
    try {
      const call = readCall(read);
      checkModel(call, this.#ports.models);
      return await this.#add(line, customId, call);
    } catch (thrown) {
      const { code, detail } = FarmError.from(thrown);
      if (code !== 'invalid_argument' && code !== 'model_not_found') throw thrown;
      this.#refused += 1;
      await this.#writer.add('refused', [line, customId, code, detail]);
      return true;
    }
  }

  tell(code: string, message: string, line: number | null, param: string | null = null): void {
    this.#faults.push({ code, message, line, param });
  }

  async end(): Promise<CheckedBatch> {
    await this.#writer.end();
    if (this.#lines === 0) this.tell('empty_file', 'the file has no lines', null);
    const groups = [...this.#groups.values()].map(({ number, call, lines, texts }): BatchGroup => {
      const { model, dimensions, tokens } = call;
      const left = { isFilled: false, hasEnded: false, textsDone: 0, textsFailed: 0 };
      return { model, dimensions, tokens, lines, texts, parts: this.#writer.partsOf(number), ...left };
    });
    return {
      index: this.#index,
      faults: this.#faults,
      groups,
      refused: { lines: this.#refused, parts: this.#writer.partsOf('refused') },
      counts: { total: this.#lines, completed: 0, failed: this.#refused },
    };
  }

  #read(input: InputLine): ReturnType<typeof readLine> | undefined {
    try {
      return readLine(input);
    } catch (thrown) {
      this.tell('invalid_line', FarmError.from(thrown).detail, input.line);
      return undefined;
    }
  }

  async #add(line: number, customId: string, call: LineCall): Promise<boolean> {
    const { model, dimensions, tokens, texts, format } = call;
    this.#texts += texts.length;
    if (this.#texts > MAX_BATCH_TEXTS) {
      this.tell('too_many_texts', `the lines have more than ${MAX_BATCH_TEXTS} texts, the limit`, line);
      return false;
    }
    const key = JSON.stringify([model, dimensions, tokens]);
    const group = this.#groups.get(key) ?? {
      number: this.#groups.size,
      // The texts are read again when they are submitted.
      call: { ...call, texts: [] },
      lines: 0,
      texts: 0,
    };
    if (group.number === MAX_BATCH_GROUPS) {
      const message = `there are more than ${MAX_BATCH_GROUPS} combinations of model, dimensions and kind of input, the limit`;
      this.tell('too_many_combinations', message, line);
      return false;
    }
    this.#groups.set(key, group);
    group.lines += 1;
    group.texts += texts.length;
    await this.#writer.add(group.number, [line, customId, texts.length, format]);
    return true;
  }
}

/** What the call itself would be refused for. */
function checkModel({ model, dimensions }: LineCall, models: FarmStatus['models']): void {
  const found = models.find((one) => one.model === model);
  if (!found) throw new FarmError('model_not_found', `the farm has no model "${model}"`);
  if (dimensions !== undefined && dimensions > found.dimensions) {
    throw new FarmError(
      'invalid_argument',
      `dimensions is ${dimensions}, the model "${model}" has ${found.dimensions}`,
    );
  }
  if (found.pooling === 'none') {
    throw new FarmError('invalid_argument', `model "${model}" gives a vector a token, an embedding has one`);
  }
}
