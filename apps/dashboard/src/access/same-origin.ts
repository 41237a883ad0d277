import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request that changes something comes from our own page, or from no browser at all. Browsers say so
 * themselves over https and to this machine; elsewhere the page's origin has to be the host that is asked.
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  if (origin === undefined) return true;
  // What is no URL, as `null` of a page in a sandbox, is nobody's.
  return URL.canParse(origin) && new URL(origin).host === host;
}
