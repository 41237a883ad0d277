import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files of a folder, which is made where it is missing: text as it is, all else as JSON. */
export async function writeFiles(folder: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, roundNumbers, 2)}\n`;
    await writeFile(join(folder, name), text);
  }
}

/** Six digits say all that a clock can. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
