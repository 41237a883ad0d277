import { FarmError, parseOptions } from '@embedfarm/contract';
import { TextsFailedError, type AnyEmbeddings } from '@embedfarm/sdk';
import { Router, type Response } from 'express';
import type { DoorPorts } from '../http/door-ports.ts';
import { encodeFor } from '../http/encode-for.ts';
import { oneVectorEach } from '../http/one-vector-each.ts';
import { sendPieces } from '../http/send-pieces.ts';
import { encodeBodySchema } from './encode-body.ts';
import { encodeBytes } from './encode-bytes.ts';
import { encodeJson } from './encode-json.ts';

const BYTES = 'application/octet-stream';

/** `POST /encode`: the SDK's `encode` over HTTP. */
export function encodeDoor(ports: DoorPorts): Router {
  const router = Router();
  router.post('/encode', async (request, response) => {
    const { texts, ...options } = parseOptions('encode body', encodeBodySchema, request.body);
    response.vary('Accept');
    if (request.accepts(['application/json', BYTES]) === BYTES) {
      sendBytes(response, await encodeFor(ports, response, texts, options));
      return;
    }
    response.type('application/json');
    const embeddings = await encodeFor(ports, response, texts, options).catch(whatIsGood);
    await sendPieces(response, encodeJson(embeddings));
  });
  return router;
}

/** JSON has a place for texts that failed; where all did, the call did. */
function whatIsGood(thrown: unknown): AnyEmbeddings {
  if (thrown instanceof TextsFailedError && thrown.failures.length < thrown.embeddings.rows)
    return thrown.embeddings;
  throw thrown;
}

function sendBytes(response: Response, embeddings: AnyEmbeddings): void {
  oneVectorEach(embeddings);
  const { model, dtype, dimensions, rows, receipts, tokens } = embeddings;
  if (tokens !== undefined) throw new FarmError('invalid_argument', `returnTokens needs JSON, not ${BYTES}`);
  const columns = dtype === 'binary' ? Math.ceil(dimensions / 8) : dimensions;
  response.set({
    'Content-Type': BYTES,
    'X-Embedfarm-Model': model,
    'X-Embedfarm-Shape': `${rows},${columns}`,
    'X-Embedfarm-Dtype': dtype === 'binary' ? 'uint8' : dtype,
    'X-Embedfarm-Tokens': String(receipts.reduce((sum, receipt) => sum + receipt.tokens, 0)),
    'X-Embedfarm-Truncated': String(receipts.filter(({ truncated }) => truncated).length),
  });
  response.end(encodeBytes(embeddings));
}
