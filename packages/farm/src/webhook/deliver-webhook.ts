import { findWebhookHost, parseOptions, webhookUrlSchema } from '@embedfarm/contract';
import { z } from 'zod';
import { DeliveryFault } from './delivery-fault.ts';
import type { WebhookPost } from './post-webhook.ts';
import { signWebhook } from './sign-webhook.ts';

/** One webhook as it stands in its queue: the body is made once, so that every attempt sends the same bytes. */
export const webhookJobSchema = z.strictObject({
  version: z.literal(1),
  requestId: z.string().min(1).max(100),
  url: webhookUrlSchema,
  body: z.string().max(10_000),
});
export type WebhookJob = z.output<typeof webhookJobSchema>;

/** What became of the last attempt. */
export interface DeliveryOutcome {
  readonly state: 'pending' | 'delivered' | 'given_up';
  readonly attempts: number;
  /** Why it was not delivered; empty when it was. */
  readonly error: string;
}

export interface DeliveryPorts {
  readonly hosts: readonly string[];
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly nowMs: () => number;
  readonly post: (post: WebhookPost, signal: AbortSignal) => Promise<void>;
  /** Keeps the outcome with the request, where that still is. */
  readonly note: (requestId: string, outcome: DeliveryOutcome) => Promise<void>;
}

/**
 * One attempt, and its outcome noted before the job goes on: who sees the job gone finds the outcome.
 *
 * @param attempt 1 for the first.
 * @throws DeliveryFault when it is to be tried again, or is given up; FarmError `cancelled` on abort: nothing is noted;
 * `invalid_argument` for data that is no webhook.
 */
export async function deliverWebhook(
  pulled: { readonly data: unknown; readonly attempt: number; readonly isLastAttempt: boolean },
  ports: DeliveryPorts,
  signal: AbortSignal,
): Promise<void> {
  const { requestId, url, body } = parseOptions('not a webhook', webhookJobSchema, pulled.data);
  const { attempt: attempts, isLastAttempt } = pulled;
  try {
    await attemptDelivery(requestId, new URL(url), body, ports, signal);
  } catch (thrown) {
    if (!(thrown instanceof DeliveryFault)) throw thrown;
    const state = isLastAttempt || thrown.isFinal ? 'given_up' : 'pending';
    await ports.note(requestId, { state, attempts, error: thrown.reason });
    throw thrown;
  }
  await ports.note(requestId, { state: 'delivered', attempts, error: '' });
}

async function attemptDelivery(
  requestId: string,
  url: URL,
  body: string,
  { hosts, secrets, timeoutMs, userAgent, nowMs, post }: DeliveryPorts,
  signal: AbortSignal,
): Promise<void> {
  // Settings may have changed since the request was taken, and workers may have different ones: another attempt, or
  // another worker, may find it allowed.
  const host = findWebhookHost(hosts, url);
  if (!host) throw new DeliveryFault('host_not_allowed');
  const headers = {
    'content-type': 'application/json',
    'user-agent': userAgent,
    ...signWebhook(requestId, body, secrets, nowMs()),
  };
  await post({ url, headers, body, mayBePrivate: host.mayBePrivate, timeoutMs }, signal);
}
