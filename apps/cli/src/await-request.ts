import { setTimeout as rest } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import type { RequestHandle, RequestStatus } from '@embedfarm/sdk';
import { ProgressBar } from './progress-bar.ts';

/** Between two looks: a person watches. */
const LOOK_MS = 250;

/** Waits for a request's end, with a bar. @throws FarmError `cancelled` on Ctrl-C; the request goes on. */
export async function awaitRequest(request: RequestHandle, signal: AbortSignal): Promise<RequestStatus> {
  const bar = new ProgressBar();
  try {
    for (;;) {
      const status = await request.status();
      bar.show({ done: status.done + status.failed, total: status.texts, etaMs: status.etaMs });
      if (status.endedAtMs !== undefined) return status;
      await rest(LOOK_MS, undefined, { signal }).catch(() => {
        throw new FarmError('cancelled', `request ${request.id} goes on: embedfarm result ${request.id}`);
      });
    }
  } finally {
    bar.clear();
  }
}
