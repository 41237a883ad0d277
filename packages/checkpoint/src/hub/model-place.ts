import { stat } from 'node:fs/promises';
import { FarmError } from '@embedfarm/contract';
import type { FetchCall } from './download-model.ts';
import { HubError } from './hub-error.ts';
import { parseHubId } from './hub-id.ts';
import { ensureHubModel } from './hub-model.ts';
import type { ResolvedHubOptions } from './hub-options.ts';

/** Where a model is on this machine. */
export interface ModelPlace {
  readonly directory: string;
  /** Of a hub's model: `org/name@<commit>`, whose files never change. */
  readonly identity?: string;
}

/**
 * What a person means by a model: a directory, where something is at that path, else a model of the hub.
 *
 * @throws FarmError `invalid_argument` for what is neither, and as `ensureHubModel`.
 */
export async function findModelPlace(
  model: string,
  cacheFolder: string,
  options: ResolvedHubOptions,
  call: FetchCall = {},
): Promise<ModelPlace> {
  if (await isThere(model)) return { directory: model };
  const id = parseHubId(model);
  if (id === undefined) {
    throw new FarmError(
      'invalid_argument',
      `${model} is neither a directory nor the id of a model on the hub (org/name or org/name@revision)`,
    );
  }
  try {
    const { directory, commit } = await ensureHubModel(id, cacheFolder, options, call);
    return { directory, identity: `${id.model}@${commit}` };
  } catch (thrown) {
    if (!(thrown instanceof HubError)) throw thrown;
    throw new FarmError('invalid_argument', `${thrown.detail}; and there is no directory ${model}`, {
      cause: thrown,
    });
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
