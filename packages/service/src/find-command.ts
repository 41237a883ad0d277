import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The first of these commands that stands in a folder of PATH, as a path; undefined when none does. */
export async function findCommand(...names: readonly string[]): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (await isExecutable(path)) return path;
    }
  }
  return undefined;
}

/** `redis-server`, else its free twin. */
export function findRedisServer(): Promise<string | undefined> {
  return findCommand('redis-server', 'valkey-server');
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
