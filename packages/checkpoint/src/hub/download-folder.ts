import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { stored } from '../stored.ts';

// The folder's time is its owner's heartbeat.
const HEARTBEAT_MS = 5_000;
const ABANDONED_MS = 60_000;

// Hosts share a cache on a network disk, and number their processes alike.
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/**
 * The folder that one process downloads a commit into. Nobody waits for anybody: two processes download twice,
 * and the first that is done wins. What a process left behind, another one takes over by renaming it, which
 * only one of them can.
 */
export class DownloadFolder {
  readonly path: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string) {
    this.path = path;
    this.#heartbeat = setInterval(() => {
      const now = new Date();
      // One that is gone is missed at the next write.
      utimes(path, now, now).catch(() => undefined);
    }, HEARTBEAT_MS).unref();
  }

  static async open(parent: string, commit: string): Promise<DownloadFolder> {
    return stored(parent, async () => {
      await mkdir(parent, { recursive: true });
      const path = join(parent, `${commit}.${HOST}-${process.pid}-${randomUUID().slice(0, 8)}.part`);
      for (const abandoned of await abandonedFolders(parent, commit)) {
        if (await isTaken(abandoned, path)) break;
      }
      await mkdir(path, { recursive: true });
      return new DownloadFolder(path);
    });
  }

  /** Whoever downloads this commit next goes on from here. Without effect where the folder has moved on. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    await utimes(this.path, 0, 0).catch(() => undefined);
  }
}

/** @returns false where another process was quicker. */
async function isTaken(abandoned: string, path: string): Promise<boolean> {
  try {
    const now = new Date();
    // Before it is renamed: with its old time it would be taken from us again.
    await utimes(abandoned, now, now);
    await rename(abandoned, path);
    return true;
  } catch {
    return false;
  }
}

/** After a commit is there, nobody goes on with these. */
export async function removeAbandoned(parent: string, commit: string): Promise<void> {
  for (const folder of await abandonedFolders(parent, commit))
    await rm(folder, { recursive: true, force: true });
}

async function abandonedFolders(parent: string, commit: string): Promise<string[]> {
  const owned = new RegExp(`^${commit}\\.(?<host>[0-9a-f]{8})-(?<pid>\\d+)-[0-9a-f]{8}\\.part$`);
  const folders: string[] = [];
  for (const name of await readdir(parent)) {
    const { host, pid } = owned.exec(name)?.groups ?? {};
    if (host === undefined) continue;
    const path = join(parent, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    const isDead = host === HOST && Number(pid) !== process.pid && !isAlive(Number(pid));
    if (isDead || Date.now() - found.mtimeMs > ABANDONED_MS) folders.push(path);
  }
  return folders;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM is another user's, and alive.
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
