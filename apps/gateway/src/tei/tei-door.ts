import { FarmError, parseOptions } from '@embedfarm/contract';
import type { AnyEmbeddings, EncodeCallOptions, EncodeText } from '@embedfarm/sdk';
import { Router, type RequestHandler, type Response } from 'express';
import type { z } from 'zod';
import type { DoorPorts } from '../http/door-ports.ts';
import { encodeFor } from '../http/encode-for.ts';
import { listPieces } from '../http/list-pieces.ts';
import { oneVectorEach } from '../http/one-vector-each.ts';
import { readTexts } from '../http/read-texts.ts';
import { sendPieces } from '../http/send-pieces.ts';
import { servedModel } from '../http/served-model.ts';
import { TOKENS_AS_THEY_ARE } from '../http/tokens-as-they-are.ts';
import { embeddingOf } from '../native/embedding-of.ts';
import { teiInfo } from './tei-info.ts';
import {
  embedAllRequestSchema,
  embedRequestSchema,
  MAX_TEI_TEXTS,
  tokenizeRequestSchema,
} from './tei-requests.ts';
import { teiTokens } from './tei-tokens.ts';

/**
 * What clients of text-embeddings-inference need; its `/v1/embeddings` is OpenAI's. There is no model in a call: it is
 * the gateway's own.
 *
 * Source: https://github.com/huggingface/text-embeddings-inference (1.9), router/src/http.
 */
export function teiDoor(ports: DoorPorts, body: readonly RequestHandler[]): Router {
  const { link, model, maxOpenRequests } = ports;
  const router = Router();
  router.post('/embed', ...body, async (request, response) => {
    const asked = parseOptions('embed request', embedRequestSchema, request.body);
    const { normalize, dimensions } = asked;
    const embeddings = await encode(response, asked, { normalize, dimensions: dimensions ?? undefined });
    oneVectorEach(embeddings);
    await sendList(response, embeddings, (index) => Array.from(embeddings.at(index)));
  });
  router.post('/embed_all', ...body, async (request, response) => {
    const asked = parseOptions('embed_all request', embedAllRequestSchema, request.body);
    const { pooling, model: name } = servedModel(await link.status(), model);
    if (pooling !== 'none') {
      throw new FarmError(
        'invalid_argument',
        `the model "${name}" gives a vector a text (${pooling}): a worker with --pooling none gives one a token`,
      );
    }
    const embeddings = await encode(response, asked, { normalize: false });
    await sendList(response, embeddings, (index) => embeddingOf(embeddings, index));
  });
  router.post('/tokenize', ...body, async (request, response) => {
    const asked = parseOptions('tokenize request', tokenizeRequestSchema, request.body);
    const { tokens = [] } = await encode(response, asked, { returnTokens: true });
    response.json(tokens.map((text) => teiTokens(text, asked.add_special_tokens)));
  });
  router.get('/info', async (_request, response) => {
    const status = await link.status();
    response.json(teiInfo(servedModel(status, model), status, maxOpenRequests));
  });
  router.get('/health', async (_request, response) => {
    const served = servedModel(await link.status(), model);
    if (served.workers === 0) throw new FarmError('no_worker', `no worker serves "${served.model}" now`);
    response.status(200).end();
  });
  return router;

  async function encode(
    response: Response,
    asked: z.output<typeof embedAllRequestSchema>,
    options: EncodeCallOptions<'float32'>,
  ): Promise<AnyEmbeddings> {
    const { texts, tokens } = readTexts(asked.inputs, 'inputs', MAX_TEI_TEXTS);
    return await encodeFor(ports, response, texts satisfies readonly EncodeText[], {
      ...options,
      truncate: truncateOf(asked),
      ...(tokens ? TOKENS_AS_THEY_ARE : { promptName: asked.prompt_name ?? undefined }),
    });
  }
}

function truncateOf({
  truncate,
  truncation_direction: side,
}: Pick<z.output<typeof embedAllRequestSchema>, 'truncate' | 'truncation_direction'>):
  | 'end'
  | 'start'
  | 'error' {
  if (truncate === false) return 'error';
  return side?.toLowerCase() === 'left' ? 'start' : 'end';
}

async function sendList(
  response: Response,
  { rows, receipts, timing }: AnyEmbeddings,
  rowOf: (index: number) => unknown,
): Promise<void> {
  response.set({
    'Content-Type': 'application/json',
    'X-Compute-Tokens': String(receipts.reduce((sum, receipt) => sum + receipt.tokens, 0)),
    'X-Total-Time': String(Math.round(timing.totalMs)),
    'X-Tokenization-Time': String(Math.round(timing.tokenizeMs)),
    'X-Queue-Time': String(Math.round(timing.queueMs + timing.batchWaitMs)),
    'X-Inference-Time': String(Math.round(timing.deviceMs)),
  });
  await sendPieces(response, listPieces(rows, rowOf));
}
