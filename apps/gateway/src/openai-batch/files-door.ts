import type { KeptFile } from '@embedfarm/farm/files';
import { Router, type Request, type Response } from 'express';
import { callOf } from '../http/call.ts';
import { answerFault } from '../http/error-answer.ts';
import type { OpenRequests } from '../http/open-requests.ts';
import { fileJson } from './batch-json.ts';
import type { BatchPorts } from './batch-hand.ts';
import { dropOutput } from './drop-output.ts';
import { fileTerms } from './file-terms.ts';
import { pageOf, readPageQuery } from './page-of.ts';
import { readUpload } from './read-upload.ts';
import { sendFile } from './send-file.ts';

/** What an upload holds here: the slice that is gathered, the one that is sent, and what sockets have read. */
const UPLOAD_BYTES = 1_048_576;
const DEFAULT_PAGE = 10_000;

export interface FilesDoorPorts extends BatchPorts {
  readonly open: OpenRequests;
  readonly maxFileBytes: number;
}

/**
 * Files as batches need them: kept in Redis, in slices, for their time.
 *
 * Source: https://platform.openai.com/docs/api-reference/files
 */
export function filesDoor(ports: FilesDoorPorts): Router {
  const { files, open, maxFileBytes } = ports;
  const router = Router();
  router.post('/v1/files', async (request, response) => {
    response.once('close', open.hold(UPLOAD_BYTES));
    const upload = files.begin(callOf(response).signal);
    try {
      const { filename, fields } = await readUpload(request, upload, { maxFileBytes });
      const { ttlMs } = fileTerms(fields);
      const owner = ownerOf(response);
      const file = await upload.seal({ owner, filename: filename.slice(0, 255), purpose: 'batch', ttlMs });
      response.json(fileJson(file));
    } catch (thrown) {
      // What is left of the form would stand before the next request.
      response.set('Connection', 'close');
      await upload.drop().catch(() => undefined);
      throw thrown;
    }
  });
  router.get('/v1/files', async (request, response) => {
    const query = readPageQuery(request.query);
    const all = await files.list(ownerOf(response));
    const wanted = all.filter(({ purpose }) => query.purpose === undefined || purpose === query.purpose);
    response.json(pageOf(wanted, query, { defaultLimit: DEFAULT_PAGE, jsonOf: fileJson }));
  });
  router.get('/v1/files/:id', async (request, response) => {
    const file = await find(request, response);
    if (file) response.json(fileJson(file));
  });
  router.get('/v1/files/:id/content', async (request, response) => {
    const file = await find(request, response);
    if (file) await sendFile(request, response, file, ports);
  });
  router.delete('/v1/files/:id', async (request, response) => {
    const file = await find(request, response);
    if (!file) return;
    await files.drop(file.owner, file.id);
    await dropOutput(file, ports);
    response.json({ id: file.id, object: 'file', deleted: true });
  });
  return router;

  /** Answers where there is none, or it is another key's: that it is there is not told. */
  async function find(request: Request<{ id: string }>, response: Response): Promise<KeptFile | undefined> {
    const { id } = request.params;
    const file = await files.find(ownerOf(response), id);
    if (!file) answerFault(response, { status: 404, code: 'not_found', message: `there is no file ${id}` });
    return file;
  }
}

/** Files and batches are those of a key; of all where the gateway asks for none. */
export function ownerOf(response: Response): string {
  return callOf(response).key?.name ?? '';
}
