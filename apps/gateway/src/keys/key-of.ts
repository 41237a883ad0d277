import type { IncomingHttpHeaders } from 'node:http';

/** The key that a request shows: as OpenAI's clients send it, or in a header of its own. */
export function keyOf({ authorization, ...headers }: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  if (bearer !== undefined) return bearer;
  const own = headers['x-api-key'] ?? headers['api-key'];
  return typeof own === 'string' && own !== '' ? own : undefined;
}
