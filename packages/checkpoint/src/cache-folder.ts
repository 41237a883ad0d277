import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where models are kept when nobody says. */
export function defaultCacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'embedfarm');
}
