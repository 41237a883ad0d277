import { Router } from 'express';
import { encodeDoor } from './native/encode-door.ts';
import { requestsDoor } from './native/requests-door.ts';
import { openaiDoor } from './openai/openai-door.ts';
import type { DoorPorts } from './http/door-ports.ts';
import type { OpenRequests } from './http/open-requests.ts';
import { jsonBody } from './http/json-body.ts';

/** All doors of the gateway, and the pages that say how they are used. */
export function farmDoors(ports: DoorPorts, open: OpenRequests): { pages: Router; doors: Router[] } {
  const body = jsonBody(open, ports.maxBodyBytes);
  return {
    pages: Router(),
    doors: [openaiDoor(ports, body), encodeDoor(ports, body), requestsDoor(ports, body)],
  };
}
