import type { RequestHandler } from 'express';
import { z } from 'zod';

const originSchema = z
  .string()
  .refine(
    (origin) => origin === '*' || isOrigin(origin),
    'must be an origin, as https://app.example.com, or *',
  );
export const corsOriginsSchema = z.array(originSchema).min(1).max(1_000);

/** A browser asks again after this. */
const MAX_AGE_SECONDS = '600';
const EXPOSED = [
  'X-Request-Id',
  'Retry-After',
  'Retry-After-Ms',
  'Content-Range',
  'X-Embedfarm-Model',
  'X-Embedfarm-Shape',
  'X-Embedfarm-Dtype',
  'X-Embedfarm-Tokens',
  'X-Embedfarm-Truncated',
].join(', ');
const HEADER_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+( *, *[A-Za-z0-9!#$%&'*+.^_`|~-]+)*$/;

/**
 * Lets pages of these origins call, with a key in a header. Cookies are none of it, so `*` lets a page do no more than
 * who has the key could do anyway.
 */
export function cors(origins: readonly string[]): RequestHandler {
  const all = origins.includes('*');
  return (request, response, next) => {
    if (!all) response.vary('Origin');
    const { origin } = request.headers;
    if (origin === undefined || !(all || origins.includes(origin))) {
      next();
      return;
    }
    response.set('Access-Control-Allow-Origin', all ? '*' : origin);
    response.set('Access-Control-Expose-Headers', EXPOSED);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      next();
      return;
    }
    const asked = request.get('Access-Control-Request-Headers') ?? '';
    // `*` would not stand for Authorization.
    if (HEADER_NAMES.test(asked)) response.set('Access-Control-Allow-Headers', asked);
    response.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, DELETE');
    response.set('Access-Control-Max-Age', MAX_AGE_SECONDS);
    response.status(204).end();
  };
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
