import { z } from 'zod';

const MAX_URL_CHARACTERS = 2_000;
/** RFC 1035, section 2.3.4. */
const MAX_HOST_CHARACTERS = 253;

/**
 * Where a request's end is posted to, in the form that is stored: host in lower case and punycode, without a final dot.
 * What a URL parser would repair or leave out without a word is a fault.
 */
export const webhookUrlSchema = z
  .string()
  .max(MAX_URL_CHARACTERS)
  .transform((text, context) => {
    const parsed = parseWebhookUrl(text);
    if (typeof parsed !== 'string') return parsed.href;
    context.addIssue({ code: 'custom', message: parsed, input: undefined });
    return z.NEVER;
  });

/** @returns the URL, or what is wrong with it, without its text: paths and queries of webhooks may be secret. */
export function parseWebhookUrl(text: string): URL | string {
  if (/[\s\\\p{Cc}]/u.test(text) || !text.isWellFormed()) {
    return 'must hold no white space, backslash, control character or lone surrogate';
  }
  const authority = /^https?:\/\/([^/?#]+)/i.exec(text)?.[1];
  if (authority === undefined || !URL.canParse(text)) return 'must be an http:// or https:// URL';
  if (authority.includes('@')) return 'must hold no user name or password';
  if (text.includes('#')) return 'must have no fragment';
  const url = new URL(text);
  if (url.port === '0') return 'must have a port of 1 to 65,535';
  const host = url.hostname.replace(/\.$/, '');
  if (host === '' || host.startsWith('.') || host.includes('..')) return 'must name a host';
  if (host.length > MAX_HOST_CHARACTERS)
    return `must have a host of at most ${MAX_HOST_CHARACTERS} characters`;
  url.hostname = host;
  if (url.href.length > MAX_URL_CHARACTERS)
    return `must have at most ${MAX_URL_CHARACTERS} characters when escaped`;
  return url;
}
