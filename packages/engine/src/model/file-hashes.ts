import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { writeWhole } from './write-whole.ts';

// Below this hashing is as fast as looking it up.
const MIN_NOTED_BYTES = 1 << 20;
const HEAD_BYTES = 4096;

/**
 * SHA-256 of files, noted in the cache folder so that gigabytes are read once and not at every start: a note
 * holds as long as the file has the size, times of change and first 4 KiB that it had. Where mtimes are all the
 * same (archives, image builders), ctime still moves.
 */
export class FileHashes {
  readonly #folder: string;
  readonly #verify: boolean;

  /** With `verify` every byte is read, and the notes are checked against it. */
  constructor(cacheFolder: string, { verify = false }: { verify?: boolean } = {}) {
    this.#folder = join(cacheFolder, 'file-hashes');
    this.#verify = verify;
  }

  /**
   * @param expected what the file must have where that is known; checked whenever all of it is read.
   * @throws FarmError `invalid_argument` naming the file whose bytes are others than those noted or expected.
   */
  async of(path: string, expected?: string): Promise<string> {
    const look = await lookAt(path);
    if (look.bytes < MIN_NOTED_BYTES) return checked(path, await hashFile(path), expected);
    const note = await this.#read(path);
    const isNoted = note !== undefined && sameLook(note, look) && note.ctimeMs === look.ctimeMs;
    if (isNoted && !this.#verify) return note.sha256;
    const sha256 = checked(path, await hashFile(path), expected);
    if (isNoted) checked(path, sha256, note.sha256);
    await this.#write(path, { ...look, sha256 });
    return sha256;
  }

  #noteOf(path: string): string {
    const name = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 32);
    return join(this.#folder, `${name}.json`);
  }

  async #read(path: string): Promise<Note | undefined> {
    const text = await readFile(this.#noteOf(path), 'utf8').catch(() => '');
    try {
      return noteSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** A folder that cannot be written costs the next start its time, and nothing else. */
  async #write(path: string, note: Note): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeWhole(this.#noteOf(path), JSON.stringify(note));
    } catch {
      await rm(this.#noteOf(path), { force: true }).catch(() => undefined);
    }
  }
}

const lookSchema = z.object({ bytes: z.int(), mtimeMs: z.number(), head: z.string() });
const noteSchema = lookSchema.extend({
  ctimeMs: z.number(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What of a file is looked at instead of all of it. */
export type FileLook = z.output<typeof lookSchema>;
type Note = z.output<typeof noteSchema>;

export { lookSchema as fileLookSchema };

export async function lookAt(path: string): Promise<FileLook & Pick<Note, 'ctimeMs'>> {
  const handle = await open(path);
  try {
    const { size, mtimeMs, ctimeMs } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(HEAD_BYTES, size)), 0);
    const head = createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex');
    return { bytes: size, mtimeMs, ctimeMs, head };
  } finally {
    await handle.close();
  }
}

export function sameLook(a: FileLook, b: FileLook): boolean {
  return a.bytes === b.bytes && a.mtimeMs === b.mtimeMs && a.head === b.head;
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function checked(path: string, sha256: string, expected: string | undefined): string {
  if (expected === undefined || sha256 === expected) return sha256;
  throw new FarmError(
    'invalid_argument',
    `${path} is damaged: its SHA-256 is ${sha256}, it was written with ${expected}; convert the model again, or ` +
      'delete the directory where it is one of the cache folder: it is made anew',
  );
}
