import type { Lane, RedisKeys } from '@embedfarm/contract';

/** Which queue a request's jobs are in. */
export interface RequestQueue {
  readonly model: string;
  readonly lane: Lane;
}

/**
 * What every script that may end a request has as its first keys, 1 to 7 (its own begin at 8):
 * request, request-bits, request-starts, open requests, result prefix, webhooks due, admission.
 */
export function requestScriptKeys(keys: RedisKeys, requestId: string): string[] {
  return [
    keys.request(requestId),
    keys.requestBits(requestId),
    keys.requestStarts(requestId),
    keys.openRequests,
    keys.resultPrefix,
    keys.webhooksDue,
    keys.admission,
  ];
}
