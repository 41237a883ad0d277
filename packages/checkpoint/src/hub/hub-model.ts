import { FarmError } from '@embedfarm/contract';
import { downloadModel, type FetchCall } from './download-model.ts';
import { HubCache } from './hub-cache.ts';
import { HubError } from './hub-error.ts';
import { isCommit, type HubId } from './hub-id.ts';
import { listModel, type HubListing } from './hub-listing.ts';
import type { ResolvedHubOptions } from './hub-options.ts';
import { Hub } from './hub.ts';
import { DEFAULT_PACE, retrying } from './retrying.ts';

export interface HubModel {
  readonly directory: string;
  readonly commit: string;
}

// Nobody waits long for a network that is gone where the model is at hand.
const CACHED_STALL_MS = 10_000;

/**
 * A hub's model in the cache folder, downloaded where it is not there yet. The hub is asked at every call what
 * a branch or tag stands for; a commit that is in the cache needs no hub.
 *
 * @throws FarmError `invalid_argument` naming model and hub: not there, not given, no weights that can be read,
 *   a wrong checksum, no room; offline and not in the cache. `cancelled` on abort.
 */
export async function ensureHubModel(
  id: HubId,
  cacheFolder: string,
  options: ResolvedHubOptions,
  call: FetchCall = {},
): Promise<HubModel> {
  const cache = new HubCache(cacheFolder, id);
  const cached = await findCached(cache, id.revision);
  if (cached !== undefined && (options.offline || isCommit(id.revision))) return cached;
  if (options.offline) {
    throw new FarmError(
      'invalid_argument',
      `${id.model}@${id.revision} is not in the cache (${cache.folder}), and offline nothing is downloaded`,
    );
  }
  try {
    const listing = await list(id, options, call, cached !== undefined);
    const { commit } = listing;
    const directory =
      (await cache.find(commit)) ??
      (await downloadModel(new Hub(options, call.pace ?? DEFAULT_PACE), { id, listing, cache, call }));
    if (id.revision !== commit) await cache.keepCommit(id.revision, commit);
    return { directory, commit };
  } catch (thrown) {
    if (cached === undefined || !(thrown instanceof HubError) || !thrown.isTransient) throw thrown;
    call.onNotice?.(`${thrown.detail}; it is taken from the cache as it was last, at ${cached.commit}`);
    return cached;
  }
}

async function findCached(cache: HubCache, revision: string): Promise<HubModel | undefined> {
  const commit = isCommit(revision) ? revision : await cache.commitOf(revision);
  if (commit === undefined) return undefined;
  const directory = await cache.find(commit);
  return directory === undefined ? undefined : { directory, commit };
}

async function list(
  id: HubId,
  options: ResolvedHubOptions,
  { signal, pace = DEFAULT_PACE }: FetchCall,
  isCached: boolean,
): Promise<HubListing> {
  const patience = isCached
    ? { ...pace, attempts: 1, stallMs: Math.min(pace.stallMs, CACHED_STALL_MS) }
    : pace;
  const hub = new Hub(options, patience);
  const listing = await retrying(() => listModel(hub, id, signal), { pace: patience, signal });
  if (!isCommit(id.revision) || listing.commit === id.revision) return listing;
  throw new HubError(`${hub.host} lists ${listing.commit} of ${id.model}, asked for ${id.revision}`);
}
