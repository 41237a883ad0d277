import { FarmError } from '@embedfarm/contract';
import type { KeptBatch } from '@embedfarm/farm/batches';
import { Router, type Request, type RequestHandler, type Response } from 'express';
import { answerFault } from '../http/error-answer.ts';
import type { BatchPorts } from './batch-hand.ts';
import { batchJson } from './batch-json.ts';
import { newBatchRecord, recordTtlMs } from './batch-record.ts';
import { readBatchRequest } from './batch-request.ts';
import { ownerOf } from './files-door.ts';
import { pageOf, readPageQuery } from './page-of.ts';

const DEFAULT_PAGE = 20;

export interface BatchesDoorPorts extends BatchPorts {
  /** There is something to do. */
  readonly kick: () => void;
}

/**
 * Batches of calls of `/v1/embeddings`. All of their state is in Redis: any gateway brings them on.
 *
 * Source: https://platform.openai.com/docs/api-reference/batch
 */
export function batchesDoor(ports: BatchesDoorPorts, body: readonly RequestHandler[]): Router {
  const { batches, files, kick } = ports;
  const router = Router();
  router.post('/v1/batches', ...body, async (request, response) => {
    const record = newBatchRecord(readBatchRequest(request.body));
    const owner = ownerOf(response);
    const file = await files.find(owner, record.inputFileId);
    if (!file) {
      throw new FarmError('invalid_argument', `input_file_id: there is no file ${record.inputFileId}`);
    }
    if (file.purpose !== 'batch') {
      throw new FarmError('invalid_argument', `input_file_id: ${file.id} is of purpose ${file.purpose}`);
    }
    const batch = await batches.create(owner, JSON.stringify(record), recordTtlMs(record));
    kick();
    response.json(batchJson(batch));
  });
  router.get('/v1/batches', async (request, response) => {
    const all = await batches.list(ownerOf(response));
    response.json(
      pageOf(all, readPageQuery(request.query), { defaultLimit: DEFAULT_PAGE, jsonOf: batchJson }),
    );
  });
  router.get('/v1/batches/:id', async (request, response) => {
    const batch = await find(request, response);
    if (batch) response.json(batchJson(batch));
  });
  router.post('/v1/batches/:id/cancel', async (request, response) => {
    const found = await find(request, response);
    if (!found) return;
    if (!(await batches.cancel(found.id))) {
      throw new FarmError('invalid_argument', `the batch ${found.id} has ended`);
    }
    kick();
    const batch = await find(request, response);
    if (batch) response.json(batchJson(batch));
  });
  return router;

  /** Answers where there is none, or it is another key's: that it is there is not told. */
  async function find(request: Request<{ id: string }>, response: Response): Promise<KeptBatch | undefined> {
    const { id } = request.params;
    const batch = await batches.find(ownerOf(response), id);
    if (!batch) answerFault(response, { status: 404, code: 'not_found', message: `there is no batch ${id}` });
    return batch;
  }
}
