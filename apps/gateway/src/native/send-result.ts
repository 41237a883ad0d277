import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FarmError, parseOptions } from '@embedfarm/contract';
import type { RequestHandle, RequestStatus } from '@embedfarm/sdk';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { callOf } from '../http/call.ts';
import { byteRange } from './byte-range.ts';
import { findLayout, npyBytes } from './npy-bytes.ts';
import { resultLines } from './result-lines.ts';

export const resultQuerySchema = z
  .strictObject({
    /** `jsonl` also while the request runs; `npy` after its end, where a range of bytes may be asked for. */
    format: z.enum(['jsonl', 'npy']).default('jsonl'),
    /** The first text that is wanted; of `jsonl`. */
    from: z.coerce.number().int().min(0).default(0),
  })
  .meta({ title: 'ResultQuery' });

/** The vectors of a submitted request, as they are read from Redis: no faster than they are taken. */
export async function sendResult(
  request: Request,
  response: Response,
  { handle, status }: { handle: RequestHandle; status: RequestStatus },
): Promise<void> {
  const { format, from } = parseOptions('result query', resultQuerySchema, { ...request.query });
  if (status.state === 'expired') {
    throw new FarmError('result_expired', `the results of request ${status.id} are gone`);
  }
  if (format === 'npy') {
    await sendNpy(request, response, { handle, status });
    return;
  }
  const { signal } = callOf(response);
  response.type('application/x-ndjson');
  if (request.method === 'HEAD') response.end();
  else await send(response, resultLines(handle, { from, signal }));
}

async function sendNpy(
  request: Request,
  response: Response,
  { handle, status }: { handle: RequestHandle; status: RequestStatus },
): Promise<void> {
  const { signal } = callOf(response);
  if (status.endedAtMs === undefined) {
    throw new FarmError(
      'invalid_argument',
      `request ${status.id} is ${status.state}: npy is there at its end, jsonl before`,
    );
  }
  const layout = await findLayout(handle, status.texts, signal);
  const { totalBytes } = layout;
  const etag = `"${status.id}.npy"`;
  response.set({
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${status.id}.npy"`,
    'Accept-Ranges': 'bytes',
    ETag: etag,
  });
  const ifRange = request.get('If-Range');
  const isFresh = ifRange === undefined || ifRange === etag;
  const range = isFresh ? byteRange(request.headers.range, totalBytes) : undefined;
  if (range === 'none') {
    response.status(416).set('Content-Range', `bytes */${totalBytes}`).end();
    return;
  }
  const { first, last } = range ?? { first: 0, last: totalBytes - 1 };
  if (range) response.status(206).set('Content-Range', `bytes ${first}-${last}/${totalBytes}`);
  response.set('Content-Length', String(last - first + 1));
  if (request.method === 'HEAD') response.end();
  else await send(response, npyBytes(handle, layout, { first, last }, signal));
}

async function send(response: Response, pieces: AsyncGenerator<string | Uint8Array>): Promise<void> {
  // A fault before the first piece still has its own answer.
  const first = await pieces.next();
  const all = async function* (): AsyncGenerator<string | Uint8Array> {
    if (first.done === true) return;
    yield first.value;
    yield* pieces;
  };
  await pipeline(Readable.from(all()), response);
}
