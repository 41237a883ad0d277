import { z } from 'zod';
import { parseWebhookUrl } from './webhook-url.ts';

/** One entry of the hosts that webhooks may go to. */
export interface WebhookHost {
  /** The entry as it is compared and published. */
  readonly entry: string;
  readonly protocol: 'http:' | 'https:';
  readonly hostname: string;
  readonly port: string;
  /** `*.example.org`: every name below it, not itself. */
  readonly isSuffix: boolean;
  /** Named with its scheme, or as an address: it may be inside a private network. */
  readonly mayBePrivate: boolean;
}

/**
 * - `a.example.com`, `a.example.com:8443`: https to this name; port 443 unless it is said.
 * - `*.example.org`: https to every name below.
 * - `https://a.internal`, `http://127.0.0.1:8080`: this origin, also where it is an address of a private network.
 * - `10.0.0.7`, `[fd00::7]:8443`: https to this address.
 */
const webhookHostSchema = z
  .string()
  .max(300)
  .refine(
    (entry) => parseWebhookHost(entry) !== undefined,
    'must be host, host:port, *.domain, or an origin as http://host:port',
  );

export const webhookHostsSchema = z.array(webhookHostSchema).min(1).max(100);

/** @returns undefined when it is none. */
export function parseWebhookHost(entry: string): WebhookHost | undefined {
  const isOrigin = /^https?:\/\//i.test(entry);
  const isSuffix = !isOrigin && entry.startsWith('*.');
  const bare = isSuffix ? entry.slice(2) : entry;
  const url = parseWebhookUrl(isOrigin ? bare : `https://${bare}`);
  if (typeof url === 'string' || url.pathname !== '/' || url.search !== '' || /[/?]$/.test(bare))
    return undefined;
  const { hostname, host, port, protocol, origin } = url;
  // A URL parser knows every spelling of an address, and writes all of them so.
  const isAddress = /^\[|^\d+(\.\d+){3}$/.test(hostname);
  if (hostname.includes('*') || (isSuffix && isAddress)) return undefined;
  return {
    entry: isOrigin ? origin : isSuffix ? `*.${host}` : host,
    protocol: protocol === 'http:' ? 'http:' : 'https:',
    hostname,
    port,
    isSuffix,
    mayBePrivate: isOrigin || isAddress,
  };
}

/** The entry that lets a parsed URL through, one that lets it into private networks first. */
export function findWebhookHost(entries: readonly string[], url: URL): WebhookHost | undefined {
  const matching = entries
    .flatMap((entry) => parseWebhookHost(entry) ?? [])
    .filter(
      (host) => host.protocol === url.protocol && host.port === url.port && hasName(host, url.hostname),
    );
  return matching.find(({ mayBePrivate }) => mayBePrivate) ?? matching[0];
}

function hasName({ isSuffix, hostname }: WebhookHost, name: string): boolean {
  return isSuffix ? name.endsWith(`.${hostname}`) : name === hostname;
}
