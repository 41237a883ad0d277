import { basename, resolve } from 'node:path';
import { parseHubId } from './hub/hub-id.ts';

/**
 * The name in a farm of a model that nobody named: `models/tiny/` and `someone/tiny@main` are served as `tiny`.
 */
export function modelName(model: string): string {
  return parseHubId(model)?.name ?? basename(resolve(model));
}
