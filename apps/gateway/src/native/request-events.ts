import { setTimeout as rest } from 'node:timers/promises';
import type { RequestHandle, RequestStatus } from '@embedfarm/sdk';
import type { Response } from 'express';
import { requestJson } from './request-json.ts';

const LOOK_MS = 500;
/** Proxies close what is silent for a minute. */
const HEARTBEAT_MS = 15_000;

/**
 * How far a request is, as server-sent events: `progress` when something has changed, `end` at its end. A browser whose
 * connection broke asks again by itself, and is told where things stand.
 */
export async function sendEvents(
  response: Response,
  { handle, status, signal }: { handle: RequestHandle; status: RequestStatus; signal: AbortSignal },
): Promise<void> {
  response.set('Content-Type', 'text/event-stream; charset=utf-8');
  response.set('X-Accel-Buffering', 'no');
  response.write('retry: 2000\n\n');
  let now = status;
  let told = '';
  let toldAtMs = performance.now();
  while (!signal.aborted) {
    const json = JSON.stringify(requestJson(now));
    const hasEnded = now.endedAtMs !== undefined;
    if (json !== told || hasEnded) {
      response.write(`event: ${hasEnded ? 'end' : 'progress'}\ndata: ${json}\n\n`);
      told = json;
      toldAtMs = performance.now();
    } else if (performance.now() - toldAtMs > HEARTBEAT_MS) {
      response.write(': still there\n\n');
      toldAtMs = performance.now();
    }
    if (hasEnded) break;
    await rest(LOOK_MS, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) now = await handle.status();
  }
  response.end();
}
