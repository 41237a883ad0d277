import { parseOptions } from '@embedfarm/contract';
import { Router } from 'express';
import { z } from 'zod';
import { callOf } from '../http/call.ts';
import type { DoorPorts } from '../http/door-ports.ts';
import { encodeFor } from '../http/encode-for.ts';
import { listPieces } from '../http/list-pieces.ts';
import { sendPieces } from '../http/send-pieces.ts';
import { TOKENS_AS_THEY_ARE } from '../http/tokens-as-they-are.ts';
import { embeddingOf } from '../native/embedding-of.ts';
import { bertText } from '../bert-client/bert-text.ts';
import { MAX_BERT_TEXTS } from './bert-status.ts';

export const bertRequestSchema = z
  .object({
    /** Given back as it came. */
    id: z.union([z.string(), z.number(), z.null(), z.boolean()]),
    texts: z
      .array(z.any())
      .min(1)
      .max(MAX_BERT_TEXTS)
      .meta({ items: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] } }),
    is_tokenized: z.any().meta({ type: 'boolean' }),
  })
  .partial({ is_tokenized: true })
  .meta({ title: 'BertRequest' });

/**
 * The HTTP of bert-as-service. Its `POST /encode` has the path of the farm's own, and an `id`, which the farm's has not.
 *
 * Source: https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/http.py.
 */
export function bertDoor(ports: DoorPorts): Router {
  const router = Router();
  router.post('/encode', async (request, response, next) => {
    if (!isBertRequest(request.body)) {
      next();
      return;
    }
    const call = callOf(response);
    call.door = 'bert';
    const { id, texts, is_tokenized } = parseOptions('encode request', bertRequestSchema, request.body);
    const isTokenized = Boolean(is_tokenized);
    const because = `is_tokenized is ${isTokenized}`;
    const read = texts.map((text, index) =>
      bertText(text, { isTokenized, because, name: `texts[${index}]` }),
    );
    ports.bert.note(call.key?.name, read.length);
    const embeddings = await encodeFor(ports, response, read, isTokenized ? TOKENS_AS_THEY_ARE : {});
    response.type('application/json');
    await sendPieces(
      response,
      answerPieces(id, () => listPieces(embeddings.rows, (index) => embeddingOf(embeddings, index))),
    );
  });
  router.get('/status/server', async (_request, response) => {
    const { clientId } = await ports.link.farm(callOf(response).signal);
    response.json({ ...ports.bert.of(await ports.link.status(), clientId), status: 200 });
  });
  router.get('/status/client', async (_request, response) => {
    const { clientId } = await ports.link.farm(callOf(response).signal);
    const { requests } = ports.metrics.totals;
    // The gateway is one client of the farm, whoever calls it.
    response.json({ identity: clientId, num_request: requests, num_response: requests, status: 200 });
  });
  return router;
}

/** The server gives `result`, its documentation says `results`: clients read the one or the other. */
function* answerPieces(id: unknown, rows: () => Iterable<string>): Generator<string> {
  yield `{"id":${JSON.stringify(id)},"result":`;
  yield* rows();
  yield ',"results":';
  yield* rows();
  yield ',"status":200}';
}

function isBertRequest(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    (Object.hasOwn(body, 'id') || Object.hasOwn(body, 'is_tokenized'))
  );
}
