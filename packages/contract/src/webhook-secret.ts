import { z } from 'zod';

const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
const PREFIX = 'whsec_';

/**
 * Keys that sign webhooks: `whsec_` and 24 to 64 bytes in base64. While a key is replaced there are two, and all sign.
 * A fault never quotes what was given.
 *
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const webhookSecretsSchema = z
  .array(
    z
      .string()
      .refine(
        (secret) => isSecret(secret),
        `must be ${PREFIX} and ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes in base64`,
      ),
  )
  .min(1)
  .max(8);

/** The bytes that sign. */
export function webhookKey(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), 'base64');
}

function isSecret(secret: string): boolean {
  const key = webhookKey(secret);
  // Node's decoder leaves out what is not base64.
  const isBase64 = secret.startsWith(PREFIX) && key.toString('base64') === secret.slice(PREFIX.length);
  return isBase64 && key.length >= MIN_SECRET_BYTES && key.length <= MAX_SECRET_BYTES;
}
