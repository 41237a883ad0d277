import type { DoorName } from './call.ts';

const TEI_PATHS = new Set([
  '/embed',
  '/embed_all',
  '/embed_sparse',
  '/rerank',
  '/predict',
  '/similarity',
  '/tokenize',
  '/decode',
  '/info',
  '/health',
]);

/** The door that a path belongs to; what bert-as-service has in common with the farm is told apart by the body. */
export function doorOf(path: string): DoorName {
  if (path.startsWith('/v1/') || path === '/v1') return 'openai';
  if (path.startsWith('/status/')) return 'bert';
  if (TEI_PATHS.has(path)) return 'tei';
  return path === '/encode' || path === '/requests' || path.startsWith('/requests/') ? 'native' : 'other';
}
