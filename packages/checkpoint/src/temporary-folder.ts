import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stored } from './stored.ts';

// The folder's time is its owner's heartbeat. A tensor that is read may keep the owner busy for seconds, and
// hosts that share a disk may have other clocks.
const HEARTBEAT_MS = 5_000;
const ABANDONED_MS = 600_000;

const NAME = /^\..+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/**
 * A folder beside the target, for what is renamed to the target when it is whole. It is gone afterwards, however
 * `fill` ends; so are those that killed processes left there, which may hold a model each.
 *
 * @throws FarmError `invalid_argument` naming the target, where the disk does not take it.
 */
export async function inTemporaryFolder<Result>(
  target: string,
  fill: (folder: string) => Promise<Result>,
): Promise<Result> {
  const parent = dirname(target);
  const folder = join(parent, `.${basename(target)}.${randomUUID()}.tmp`);
  return await stored(target, async () => {
    await mkdir(folder, { recursive: true });
    const heartbeat = setInterval(() => {
      const now = new Date();
      // It may be renamed already.
      utimes(folder, now, now).catch(() => undefined);
    }, HEARTBEAT_MS).unref();
    try {
      await removeAbandonedFolders(parent);
      return await fill(folder);
    } finally {
      clearInterval(heartbeat);
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Takes away what killed processes left in a folder, if there is one: ten minutes after their last sign of life. */
export async function removeAbandonedFolders(parent: string): Promise<void> {
  const names = await readdir(parent).catch((): string[] => []);
  for (const name of names.filter((one) => NAME.test(one))) {
    const path = join(parent, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < ABANDONED_MS) continue;
    // What cannot be removed, another user's for one, is no reason to stop.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
