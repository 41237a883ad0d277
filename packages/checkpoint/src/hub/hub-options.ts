import { z } from 'zod';

export const hubOptionsSchema = z.strictObject({
  /**
   * Base URL of the hub, or of a mirror with the same paths. `http:` is for one in the own network: a token
   * would go there unprotected.
   */
  hubUrl: z
    .url({ protocol: /^https?$/ })
    .refine(isBare, 'must have no user, password, ? or #')
    .transform((url) => url.replace(/\/+$/, ''))
    .default('https://huggingface.co'),

  /** Token for gated and private models. It is sent to the hub's own host, never to one it redirects to. */
  hubToken: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be printable and without spaces')
    .optional(),

  /** Take models from the cache alone, and never ask the network. */
  offline: z.boolean().default(false),
});

/** What a caller may write: every field is optional. */
export type HubOptions = z.input<typeof hubOptionsSchema>;
export type ResolvedHubOptions = z.output<typeof hubOptionsSchema>;

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((part) => part === '');
}
