import { FarmError, parseOptions } from '@embedfarm/contract';
import type { RequestHandle, RequestStatus } from '@embedfarm/sdk';
import { Router, type Request, type RequestHandler, type Response } from 'express';
import { callOf } from '../http/call.ts';
import type { DoorPorts } from '../http/door-ports.ts';
import { tenantOf } from '../http/encode-for.ts';
import { submitBodySchema } from './encode-body.ts';
import { sendEvents } from './request-events.ts';
import { requestJson } from './request-json.ts';
import { sendResult } from './send-result.ts';

/** `/requests`: the SDK's `submit` over HTTP, and what comes after. */
export function requestsDoor(ports: DoorPorts, body: readonly RequestHandler[]): Router {
  const { link, model, draining } = ports;
  const router = Router();
  router.post('/requests', ...body, async (request, response) => {
    const { texts, ...options } = parseOptions('request body', submitBodySchema, request.body);
    const call = callOf(response);
    await ports.charge(call, texts.length);
    const farm = await link.farm(call.signal);
    const submitted = await farm.submit(texts, {
      ...options,
      model: options.model ?? model,
      tenant: tenantOf(call, options.tenant),
      signal: call.signal,
    });
    response.location(`/requests/${submitted.id}`);
    response.status(202).json(requestJson(await submitted.status()));
  });
  router.get('/requests/:id', async (request, response) => {
    const { status } = await find(request, response);
    response.json(requestJson(status));
  });
  router.get('/requests/:id/result', async (request, response) => {
    await sendResult(request, response, await find(request, response));
  });
  router.get('/requests/:id/events', async (request, response) => {
    const found = await find(request, response);
    const signal = AbortSignal.any([callOf(response).signal, draining]);
    if (request.method === 'HEAD') response.type('text/event-stream').end();
    else await sendEvents(response, { ...found, signal });
  });
  router.delete('/requests/:id', async (request, response) => {
    const { handle } = await find(request, response);
    response.json(requestJson(await handle.cancel()));
  });
  return router;

  /** @throws FarmError `result_expired` also for a request of another key: that it is there is not told. */
  async function find(
    request: Request<{ id: string }>,
    response: Response,
  ): Promise<{ handle: RequestHandle; status: RequestStatus }> {
    const { key, signal } = callOf(response);
    const handle = (await link.farm(signal)).request(request.params.id);
    const status = await handle.status();
    if (key === undefined || status.tenant === key.name) return { handle, status };
    throw new FarmError('result_expired', `there is no request ${handle.id}, or none any more`);
  }
}
