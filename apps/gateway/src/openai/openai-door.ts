import { FarmError, parseOptions } from '@embedfarm/contract';
import { Router, type RequestHandler } from 'express';
import type { DoorPorts } from '../http/door-ports.ts';
import { encodeFor } from '../http/encode-for.ts';
import { oneVectorEach } from '../http/one-vector-each.ts';
import { readTexts } from '../http/read-texts.ts';
import { sendPieces } from '../http/send-pieces.ts';
import { embeddingsRequestSchema } from './embeddings-request.ts';
import { embeddingsJson } from './embeddings-json.ts';
import { TOKENS_AS_THEY_ARE } from '../http/tokens-as-they-are.ts';
import { MAX_INPUTS } from './max-inputs.ts';
import { openaiModel } from './openai-model.ts';

/**
 * What clients of OpenAI's embeddings need.
 *
 * Source: https://platform.openai.com/docs/api-reference/embeddings
 */
export function openaiDoor(ports: DoorPorts, body: readonly RequestHandler[]): Router {
  const { link } = ports;
  const router = Router();
  router.post('/v1/embeddings', ...body, async (request, response) => {
    const asked = parseOptions('embeddings request', embeddingsRequestSchema, request.body);
    const { texts, tokens } = readTexts(asked.input, 'input', MAX_INPUTS);
    const { model, dimensions } = asked;
    const embeddings = await encodeFor(ports, response, texts, {
      model,
      dimensions,
      ...(tokens ? TOKENS_AS_THEY_ARE : {}),
    });
    oneVectorEach(embeddings);
    const truncated = embeddings.receipts.filter((receipt) => receipt.truncated).length;
    if (truncated > 0) response.set('X-Embedfarm-Truncated', String(truncated));
    response.type('application/json');
    await sendPieces(response, embeddingsJson(embeddings, asked.encoding_format));
  });
  router.get('/v1/models', async (_request, response) => {
    const { models } = await link.status();
    response.json({ object: 'list', data: models.map(openaiModel) });
  });
  // A model's name may hold slashes.
  router.get('/v1/models/*name', async (request, response) => {
    const { models } = await link.status();
    const name = nameOf(request.params.name);
    const found = models.find(({ model }) => model === name);
    if (!found) throw new FarmError('model_not_found', `the farm has no model "${name}"`);
    response.json(openaiModel(found));
  });
  return router;
}

function nameOf(parts: string | string[]): string {
  return typeof parts === 'string' ? parts : parts.join('/');
}
