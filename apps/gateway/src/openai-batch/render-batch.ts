import { setImmediate as nextTurn } from 'node:timers/promises';
import { FARM_ERROR_CODES, FarmError } from '@embedfarm/contract';
import type { BatchStore } from '@embedfarm/farm/batches';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { embeddingPieces } from '../openai/embeddings-json.ts';
import { openaiError } from '../openai/openai-error.ts';
import type { BatchGroup, BatchRecord } from './batch-record.ts';
import { BatchRows, type BatchRow } from './batch-rows.ts';
import { readLineIndex, type LineEntry } from './line-index.ts';

/** Others get a turn after so many characters. */
const TURN_LENGTH = 262_144;

export interface RenderPorts {
  readonly batches: BatchStore;
  readonly farm: EmbeddingFarm;
  readonly batchId: string;
  readonly signal: AbortSignal;
}

/** A line of a batch's output, or of what failed of it. */
export interface RenderedLine {
  readonly kind: 'output' | 'error';
  readonly tokens: number;
  /** Made as they are taken. */
  readonly pieces: Iterable<string>;
}

/** Both files of a batch, line by line, from what the farm has stored: the same however often it is asked for. */
export async function* renderBatch(record: BatchRecord, ports: RenderPorts): AsyncGenerator<RenderedLine> {
  const { batches, batchId, signal } = ports;
  const place = { batches, batchId, name: record.index ?? '' };
  for await (const entry of readLineIndex(place, 'refused', record.refused.parts, signal)) {
    const [line, customId, code, message] = entry;
    yield failedLine(batchId, line, customId, new FarmError(code, message));
  }
  let length = 0;
  for (const [at, group] of record.groups.entries()) {
    const rows = new BatchRows(ports.farm, group.requestId, missing(record, group), signal);
    try {
      for await (const entry of readLineIndex(place, at, group.parts, signal)) {
        const taken = await rows.take(entry[2]);
        yield lineOf(record, batchId, group, entry, taken);
        length += taken.reduce((sum, { vector }) => sum + 2 * (vector?.length ?? 0), 0);
        if (length < TURN_LENGTH) continue;
        length = 0;
        await nextTurn();
      }
    } finally {
      await rows.close();
    }
  }
}

/** What is said of texts that were never in the farm. */
function missing({ end }: BatchRecord, { fault }: BatchGroup): FarmError {
  if (fault) return new FarmError(fault.code === 'not_found' ? 'internal' : fault.code, fault.message);
  const why = end === 'expired' ? 'the batch has expired' : 'the batch was cancelled';
  return new FarmError(
    end === 'completed' ? 'internal' : 'cancelled',
    end === 'completed' ? 'it was lost' : why,
  );
}

function lineOf(
  { end }: BatchRecord,
  batchId: string,
  { model }: BatchGroup,
  [line, customId, , format]: LineEntry,
  rows: readonly BatchRow[],
): RenderedLine {
  const failed = rows.find(({ fault }) => fault !== undefined);
  if (failed?.fault) {
    const { code } = failed.fault;
    const isTakenBack = end !== 'completed' && (code === 'cancelled' || code === 'result_expired');
    return isTakenBack
      ? takenBackLine(batchId, line, customId, end)
      : failedLine(batchId, line, customId, failed.fault);
  }
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  const vectors = rows.flatMap(({ vector }) => vector ?? []);
  return {
    kind: 'output',
    tokens,
    pieces: around(
      `{"id":"${lineId(batchId, line)}","custom_id":${JSON.stringify(customId)},` +
        `"response":{"status_code":200,"request_id":"${lineId(batchId, line)}","body":`,
      embeddingPieces({ vectors, model, tokens }, format),
      '},"error":null}\n',
    ),
  };
}

function* around(before: string, pieces: Iterable<string>, after: string): Generator<string> {
  yield before;
  yield* pieces;
  yield after;
}

/** As the call itself would have been answered. */
function failedLine(batchId: string, line: number, customId: string, fault: FarmError): RenderedLine {
  const { code, detail } = fault;
  const status = FARM_ERROR_CODES[code].httpStatus;
  const id = lineId(batchId, line);
  const body = openaiError({ status, code, message: detail });
  const response = { status_code: status, request_id: id, body };
  return errorLine({ id, custom_id: customId, response, error: null });
}

function takenBackLine(batchId: string, line: number, customId: string, end: string): RenderedLine {
  const error =
    end === 'expired'
      ? {
          code: 'batch_expired',
          message: 'This request could not be executed before the completion window expired.',
        }
      : { code: 'batch_cancelled', message: 'This request was not executed before the batch was cancelled.' };
  return errorLine({ id: lineId(batchId, line), custom_id: customId, response: null, error });
}

function errorLine(json: object): RenderedLine {
  return { kind: 'error', tokens: 0, pieces: [`${JSON.stringify(json)}\n`] };
}

function lineId(batchId: string, line: number): string {
  return `${batchId.replace('batch_', 'batch_req_')}_${line}`;
}
