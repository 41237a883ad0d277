import { access, stat } from 'node:fs/promises';

/** Whether a regular file stands there that may be read. A pipe or a device could be read for ever. */
export async function isFile(path: string): Promise<boolean> {
  try {
    await access(path);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
