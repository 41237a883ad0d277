import { lookup } from 'node:dns';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { FarmError } from '@embedfarm/contract';
import { DeliveryFault } from './delivery-fault.ts';
import { isPublicAddress } from './public-address.ts';
import { parseRetryAfter } from './retry-delay.ts';

/** So much of an answer is read, for the receiver's sake, and thrown away. */
const MAX_ANSWER_BYTES = 65_536;

export interface WebhookPost {
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Whether an address of a private network is fine. */
  readonly mayBePrivate: boolean;
  readonly timeoutMs: number;
}

/**
 * One attempt. The status line decides; redirects are not followed, and the answer's body is not looked at.
 *
 * @throws DeliveryFault for every answer but 2xx and for none; FarmError `cancelled` on abort.
 */
export async function postWebhook(post: WebhookPost, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(post.timeoutMs);
  const either = AbortSignal.any([signal, deadline]);
  let answer: IncomingMessage;
  try {
    answer = await send(post, either);
  } catch (thrown) {
    if (signal.aborted) throw new FarmError('cancelled', 'the delivery was aborted', { cause: thrown });
    throw new DeliveryFault(deadline.aborted ? 'timeout' : reasonOf(thrown), { cause: thrown });
  }
  await discard(answer);
  const { statusCode = 0, headers } = answer;
  if (statusCode >= 200 && statusCode < 300) return;
  throw new DeliveryFault(`http_${statusCode}`, {
    retryAfterMs: parseRetryAfter(headers['retry-after'], Date.now()),
  });
}

function send(
  { url, headers, body, mayBePrivate }: WebhookPost,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const post = url.protocol === 'http:' ? requestHttp : requestHttps;
    const request: ClientRequest = post(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      // A connection of its own: none is taken over whose address was never looked at.
      agent: false,
      signal,
      ...(mayBePrivate ? {} : { lookup: lookupPublic }),
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * The addresses that the connection is made to, so that no second look-up can give others. One private address among
 * them refuses the name.
 */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (fault, addresses) => {
    if (fault) return callback(fault, []);
    if (addresses.some(({ address }) => !isPublicAddress(address))) {
      return callback(new DeliveryFault('private_address'), []);
    }
    const [first] = addresses;
    if (options.all === true || !first) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};

/** Reads to the end, so that a receiver is not cut off; one that has none is. */
async function discard(answer: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > MAX_ANSWER_BYTES) return;
    }
  } catch {
    // The deadline, or a connection that broke: the status has come.
  } finally {
    answer.destroy();
  }
}

/** Why there is no answer, in a word that tells nothing of the network. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof DeliveryFault) return thrown.reason;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'ECONNREFUSED') return 'connection_refused';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'unknown_host';
  if (code.startsWith('HPE_')) return 'bad_answer';
  if (/TLS|CERT|SSL|ISSUER|SIGNATURE|^EPROTO$/.test(code)) return 'tls';
  return 'connection_lost';
}
