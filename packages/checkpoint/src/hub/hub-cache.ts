import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { stored } from '../stored.ts';
import { isCommit, type HubId } from './hub-id.ts';
import type { HubFile } from './hub-listing.ts';
import { isKept } from './part-file.ts';

// Another number when other files are chosen: what is in the cache may lack some then.
const MANIFEST_FORMAT = 1;
const MANIFEST = 'manifest.json';

const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  files: z.array(
    z.object({
      path: z.string(),
      bytes: z.int(),
      checksum: z.object({ kind: z.enum(['sha256', 'git']), value: z.string() }),
    }),
  ),
});

/**
 * The models of a hub on this machine:
 *
 *     <cacheFolder>/hub/<org>--<name>/refs/<revision>           the commit that it was last
 *     <cacheFolder>/hub/<org>--<name>/<commit>/manifest.json    what belongs to it, and its checksums
 *     <cacheFolder>/hub/<org>--<name>/<commit>/<name>/          the files
 *
 * A commit appears whole or not at all. The last folder has the model's name, since names are read from folders.
 */
export class HubCache {
  readonly folder: string;
  readonly #id: HubId;

  constructor(cacheFolder: string, id: HubId) {
    this.folder = resolve(cacheFolder, 'hub', id.model.replace('/', '--'));
    this.#id = id;
  }

  /** Where the files of a commit are to be, below its folder. */
  modelFolder(commitFolder: string): string {
    return join(commitFolder, this.#id.name);
  }

  /** @returns the directory of the commit's model, where all of it is there. */
  async find(commit: string): Promise<string | undefined> {
    const folder = join(this.folder, commit);
    const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const manifest = manifestSchema.safeParse(jsonOf(text));
    if (!manifest.success) return undefined;
    const directory = this.modelFolder(folder);
    for (const file of manifest.data.files) {
      if (!(await isKept(file, join(directory, file.path)))) return undefined;
    }
    return directory;
  }

  /**
   * A folder with all files in it becomes the commit's. Where another process was quicker, its folder stays.
   *
   * @returns the directory of the model.
   */
  async publish(folder: string, commit: string, files: readonly HubFile[]): Promise<string> {
    const target = join(this.folder, commit);
    await stored(target, async () => {
      const handle = await open(join(folder, MANIFEST), 'w');
      try {
        await handle.writeFile(`${JSON.stringify({ format: MANIFEST_FORMAT, files }, null, 2)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      if (await moved(folder, target)) return;
      // What is there may have lost files, or be of another version.
      if ((await this.find(commit)) === undefined) {
        await rm(target, { recursive: true, force: true });
        await rename(folder, target);
      } else await rm(folder, { recursive: true, force: true });
    });
    return this.modelFolder(target);
  }

  async commitOf(revision: string): Promise<string | undefined> {
    const text = await readFile(this.#refFile(revision), 'utf8').catch(() => undefined);
    const commit = text?.trim();
    return commit !== undefined && isCommit(commit) ? commit : undefined;
  }

  async keepCommit(revision: string, commit: string): Promise<void> {
    const file = this.#refFile(revision);
    const temporary = `${file}.${randomUUID()}.tmp`;
    await stored(file, async () => {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(temporary, `${commit}\n`);
      await rename(temporary, file);
    });
  }

  #refFile(revision: string): string {
    return join(this.folder, 'refs', encodeURIComponent(revision));
  }
}

async function moved(folder: string, target: string): Promise<boolean> {
  try {
    await rename(folder, target);
    return true;
  } catch (thrown) {
    if (await lstat(target).catch(() => undefined)) return false;
    throw thrown;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
