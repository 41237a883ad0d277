import { createHmac } from 'node:crypto';
import { webhookKey } from '@embedfarm/contract';

/**
 * Headers that let a receiver check a body. Each secret signs, so that a receiver may have the old or the new one.
 *
 * @param atMs when this attempt is made, in ms since 1970: receivers refuse what is older than a few minutes.
 *
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signWebhook(
  id: string,
  body: string,
  secrets: readonly string[],
  atMs: number,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const seconds = Math.floor(atMs / 1_000);
  const signed = `${id}.${seconds}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', webhookKey(secret)).update(signed).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  };
}
