import { describe, expect, it } from 'vitest';
import { parseOptions } from './encode-request.ts';
import { webhookKey, webhookSecretsSchema } from './webhook-secret.ts';

const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

describe('the secret of webhooks', () => {
  it('is 24 to 64 bytes, one or several', () => {
    expect(webhookSecretsSchema.parse([secretOf(24), secretOf(64)])).toHaveLength(2);
    expect(webhookKey(secretOf(24))).toEqual(Buffer.alloc(24, 7));
  });

  it.each([
    secretOf(23),
    secretOf(65),
    secretOf(24).slice(6),
    `${secretOf(24)}!`,
    `whsec_${'ä'.repeat(40)}`,
    'hush',
  ])('%j is none, and is not quoted', (secret) => {
    const parse = () => parseOptions('worker options', webhookSecretsSchema, [secret]);
    expect(parse).toThrow('must be whsec_ and 24 to 64 bytes in base64');
    expect(parse).not.toThrow(secret);
  });
});
