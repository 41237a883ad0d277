import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { FarmError, nameSchema, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';

const apiKeySchema = z.strictObject({
  /** For people, for the limit, and for the fair share: the tenant of whoever has the key. */
  name: nameSchema,

  /** SHA-256 of the key, in hex: `printf %s "$KEY" | sha256sum`. Keys are random and long, so a plain hash will do. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of a key, 64 of 0-9 a-f'),

  /** Most texts a second, over all gateways of the farm. Without it there is no limit. */
  textsPerSecond: z.number().min(0.01).max(1_000_000_000).optional(),

  /** Texts that may come at once after a rest. Default: a second's worth. */
  burstTexts: z.number().min(1).max(1_000_000_000).optional(),

  /** Share of the bulk lane, by that of others; 1 where left out. */
  weight: z.number().min(0.01).max(100).optional(),
});
export type ApiKey = z.output<typeof apiKeySchema>;

export const apiKeysSchema = z
  .array(apiKeySchema)
  .min(1)
  .max(10_000)
  .refine((keys) => new Set(keys.map(({ name }) => name)).size === keys.length, 'two keys have one name')
  .refine((keys) => new Set(keys.map(({ sha256 }) => sha256)).size === keys.length, 'two keys are the same');

/**
 * Keys as JSON, or the file that holds them.
 *
 * @throws FarmError `invalid_argument` that says where, and never what stands there.
 */
export function readApiKeys(source: string): ApiKey[] {
  const isText = source.trimStart().startsWith('[');
  const what = isText ? 'keys of the gateway' : `keys of the gateway in ${source}`;
  let keys: unknown;
  try {
    keys = JSON.parse(isText ? source : readFileSync(source, 'utf8'));
  } catch (cause) {
    const fault = cause instanceof SyntaxError ? 'no JSON' : 'cannot be read';
    throw new FarmError('invalid_argument', `${what}: ${fault}`, { cause });
  }
  return parseOptions(what, apiKeysSchema, keys);
}

/** Keys by their hash. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, ApiKey>;

  constructor(keys: readonly ApiKey[]) {
    this.#keys = new Map(keys.map((key) => [key.sha256, key]));
  }

  /**
   * Whose key it is. The look-up goes by the hash, so how long it takes tells nothing of a key.
   *
   * @throws FarmError `unauthenticated` where there is none, or none that is known.
   */
  find(key: string | undefined): ApiKey {
    if (key === undefined) {
      throw new FarmError('unauthenticated', 'a key is needed: Authorization: Bearer KEY, or X-Api-Key: KEY');
    }
    const found = this.#keys.get(createHash('sha256').update(key).digest('hex'));
    if (found) return found;
    throw new FarmError('unauthenticated', 'the key is not known');
  }
}
