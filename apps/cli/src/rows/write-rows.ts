import { once } from 'node:events';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { FarmError } from '@embedfarm/contract';
import type { EncodedChunk } from '@embedfarm/sdk';
import { formatRows, type RowFormat } from './row-format.ts';

/** What was written. */
export interface WrittenRows {
  readonly texts: number;
  readonly failed: number;
  /** The first text that failed. */
  readonly failure: { readonly index: number; readonly code: string; readonly message: string } | undefined;
}

/**
 * Writes vectors as they come. A file has its name only once it is whole; without one they go to stdout.
 *
 * @throws FarmError `invalid_argument` when the file cannot be written, or the format cannot go to stdout.
 */
export async function writeRows(
  chunks: AsyncIterable<EncodedChunk>,
  { out, format, onText }: { out?: string | undefined; format: RowFormat; onText: (texts: number) => void },
): Promise<WrittenRows> {
  if (out === undefined) {
    if (format === 'npy') throw new FarmError('invalid_argument', '.npy needs a file: --out FILE.npy');
    return await copyRows(chunks, format, onText, async (bytes) => {
      if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
    });
  }
  const target = await findTarget(out);
  // A pipe or a device is written to as it is: a file in its place would be the end of it.
  const part = target.isFile ? `${target.path}.part` : target.path;
  if (!target.isFile && format === 'npy')
    throw new FarmError('invalid_argument', `.npy needs a file, ${out} is none`);
  const file = await open(part, 'w').catch(cannotWrite(out));
  try {
    const written = await copyRows(
      chunks,
      format,
      onText,
      (bytes) => file.writeFile(bytes).catch(cannotWrite(out)),
      async (head) => void (await file.write(head, 0, head.byteLength, 0).catch(cannotWrite(out))),
    );
    await file.close().catch(cannotWrite(out));
    if (target.isFile) await rename(part, target.path).catch(cannotWrite(out));
    return written;
  } catch (thrown) {
    await file.close().catch(() => undefined);
    if (target.isFile) await rm(part, { force: true });
    throw thrown;
  }
}

/** Where a link leads to, and whether it is a file, or is to be one. */
async function findTarget(out: string): Promise<{ path: string; isFile: boolean }> {
  // What is not there yet is to be a file; what cannot be looked at cannot be written to either, which is told then.
  const found = await stat(out).catch(() => undefined);
  if (found?.isDirectory() === true) {
    throw new FarmError('invalid_argument', `cannot write ${out}: it is a directory`);
  }
  if (found === undefined) return { path: out, isFile: true };
  return found.isFile() ? { path: await realpath(out), isFile: true } : { path: out, isFile: false };
}

function cannotWrite(out: string): (cause: unknown) => never {
  return (cause) => {
    throw new FarmError('invalid_argument', `cannot write ${out}: ${(cause as Error).message}`, { cause });
  };
}

async function copyRows(
  chunks: AsyncIterable<EncodedChunk>,
  format: RowFormat,
  onText: (texts: number) => void,
  write: (bytes: Uint8Array) => Promise<void>,
  writeHead?: (head: Uint8Array) => Promise<void>,
): Promise<WrittenRows> {
  const rows = formatRows(format);
  let texts = 0;
  let failed = 0;
  let failure: WrittenRows['failure'];
  for await (const { from, embeddings } of chunks) {
    await write(rows.add(from, embeddings));
    texts += embeddings.rows;
    failed += embeddings.failures.length;
    const [first] = embeddings.failures;
    if (first) failure ??= { ...first, index: from + first.index };
    onText(texts);
  }
  await write(rows.end());
  const head = rows.head();
  if (head) await writeHead?.(head);
  return { texts, failed, failure };
}
