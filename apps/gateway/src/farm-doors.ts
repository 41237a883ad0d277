import { Router } from 'express';
import { bertDoor } from './bert-http/bert-door.ts';
import { teiDoor } from './tei/tei-door.ts';
import { encodeDoor } from './native/encode-door.ts';
import { requestsDoor } from './native/requests-door.ts';
import { docsPages } from './openapi/docs-pages.ts';
import { openaiDoor } from './openai/openai-door.ts';
import type { OpenBatches } from './openai-batch/open-batches.ts';
import type { DoorPorts } from './http/door-ports.ts';
import type { OpenRequests } from './http/open-requests.ts';
import { jsonBody } from './http/json-body.ts';

/** All doors of the gateway, and the pages that say how they are used. */
export function farmDoors(
  ports: DoorPorts,
  open: OpenRequests,
  batches: OpenBatches,
): { pages: Router; doors: Router[] } {
  const body = jsonBody(open, ports.maxBodyBytes);
  // Two doors share the path; what a body holds says which one it is for.
  const encodeBody = Router().post('/encode', ...body);
  const doors = [
    encodeBody,
    bertDoor(ports),
    encodeDoor(ports),
    requestsDoor(ports, body),
    ...batches.doors(open, body),
    openaiDoor(ports, body),
    teiDoor(ports, body),
  ];
  return { pages: docsPages(), doors };
}
