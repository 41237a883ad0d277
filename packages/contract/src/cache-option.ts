import { z } from 'zod';

/** How long a vector is kept where a call does not say. */
export const DEFAULT_CACHE_TTL_MS = 24 * 3_600_000;
/** Less than a second would be over before a second call could ask. */
const MIN_CACHE_TTL_MS = 1_000;
/** Thirty days: what is asked for more rarely is cheaper to encode than to keep. */
const MAX_CACHE_TTL_MS = 30 * 24 * 3_600_000;

/** How long the vectors of a chunk are kept by their content, in ms. */
export const cacheTtlMsSchema = z.int().min(MIN_CACHE_TTL_MS).max(MAX_CACHE_TTL_MS);

/** `true`, or how long what the call encodes is kept. */
export const cacheOptionSchema = z.union(
  [z.boolean(), z.strictObject({ ttlMs: cacheTtlMsSchema })],
  `must be true, false or { ttlMs } with whole ms from ${MIN_CACHE_TTL_MS} to ${MAX_CACHE_TTL_MS}`,
);
export type CacheOption = z.output<typeof cacheOptionSchema>;

/** @returns undefined for a call that neither reads nor writes the cache. */
export function cacheTtlOf(cache: CacheOption | undefined): number | undefined {
  if (cache === undefined || cache === false) return undefined;
  return cache === true ? DEFAULT_CACHE_TTL_MS : cache.ttlMs;
}
