import { randomUUID } from 'node:crypto';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { appendScript, dropScript, sealScript } from './file-scripts.ts';
import { StoreLink } from './store-link.ts';

/** Bytes are kept in slices of so many. */
export const FILE_SLICE_BYTES = 262_144;
/** An upload that stops goes by itself. */
const UPLOAD_TTL_MS = 600_000;
/** Most files of one owner that a list looks through: there are no more. */
const MAX_OWNER_FILES = 2_000;

interface FileLimits {
  /** Most bytes of one file, and of all files of all owners. */
  readonly maxFileBytes: number;
  readonly maxHeldBytes: number;
}

export interface FileStoreOptions extends FileLimits {
  readonly redis: string;
  readonly prefix?: string | undefined;
}

const fileSchema = z.object({
  owner: z.string(),
  filename: z.string(),
  purpose: z.string(),
  bytes: z.coerce.number(),
  createdAtMs: z.coerce.number(),
  expiresAtMs: z.coerce.number(),
  /** Of a file that is made when it is read: of what. */
  source: z.string().optional(),
});
/** Times are Redis time in ms since 1970. */
export type KeptFile = z.output<typeof fileSchema> & { readonly id: string };
export type NewFile = Pick<KeptFile, 'owner' | 'filename' | 'purpose'> & { readonly ttlMs: number };

/** Files in Redis, each kept for its time. Those with bytes of their own lie in slices. */
export class FileStore {
  readonly #link: StoreLink;
  readonly #limits: FileLimits;

  private constructor(link: StoreLink, limits: FileStoreOptions) {
    this.#link = link;
    this.#limits = limits;
  }

  static open(options: FileStoreOptions): FileStore {
    return new FileStore(new StoreLink(options), options);
  }

  /** Takes bytes in; nobody sees them before they are sealed. */
  begin(signal?: AbortSignal): FileUpload {
    return new FileUpload(this.#link, this.#limits, signal);
  }

  /** A file without bytes of its own: `source` says what it is made of. */
  async putMade(file: NewFile & { readonly bytes: number; readonly source: string }): Promise<KeptFile> {
    return await seal(this.#link, newId(), file);
  }

  /** @returns undefined where this owner has no such file (any more). */
  async find(owner: string, id: string): Promise<KeptFile | undefined> {
    const { redis, keys } = this.#link;
    const file = toFile(id, await this.#link.ask(redis.hgetall(keys.file(id))));
    return file?.owner === owner ? file : undefined;
  }

  /** All files of an owner, the newest first. */
  async list(owner: string): Promise<KeptFile[]> {
    const { redis, keys } = this.#link;
    const ids = await this.#link.ask(redis.zrevrange(keys.files(owner), 0, MAX_OWNER_FILES - 1));
    const answers = await Promise.all(ids.map((id) => this.#link.ask(redis.hgetall(keys.file(id)))));
    return ids.flatMap((id, index) => toFile(id, answers[index] ?? {}) ?? []);
  }

  /** @throws FarmError `result_expired` where the file goes meanwhile. */
  async *slices({ id, bytes }: KeptFile, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const { redis, keys } = this.#link;
    for (let slice = 0, read = 0; read < bytes; slice += 1) {
      const part = await this.#link.ask(redis.hgetBuffer(keys.fileSlices(id), String(slice)), { signal });
      if (!part) throw new FarmError('result_expired', `the bytes of ${id} are gone`);
      read += part.length;
      yield part;
    }
  }

  /** @returns whether there was one. */
  async drop(owner: string, id: string): Promise<boolean> {
    if (!(await this.find(owner, id))) return false;
    return (await drop(this.#link, owner, id)) === 1;
  }

  close(): void {
    this.#link.close();
  }
}

/** Bytes on their way into a file. */
export class FileUpload {
  readonly #id = newId();
  readonly #link: StoreLink;
  readonly #limits: FileLimits;
  readonly #signal: AbortSignal | undefined;
  #slices = 0;
  #bytes = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(link: StoreLink, limits: FileLimits, signal: AbortSignal | undefined) {
    this.#link = link;
    this.#limits = limits;
    this.#signal = signal;
  }

  /** @throws FarmError `invalid_argument` beyond what a file may have; `overloaded` beyond what all may. */
  async append(bytes: Buffer): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= FILE_SLICE_BYTES) await this.#put(FILE_SLICE_BYTES);
  }

  async seal(file: NewFile): Promise<KeptFile> {
    await this.#put(1);
    return await seal(this.#link, this.#id, { ...file, bytes: this.#bytes });
  }

  /** Lets go of what came. */
  async drop(): Promise<void> {
    await drop(this.#link, '', this.#id);
  }

  /** Puts slices, the last of them with so many bytes at least; others wait for more. */
  async #put(minBytes: number): Promise<void> {
    const all = Buffer.concat(this.#waiting);
    let at = 0;
    while (all.length - at >= minBytes) {
      const slice = all.subarray(at, at + FILE_SLICE_BYTES);
      at += slice.length;
      await this.#putSlice(slice);
    }
    const rest = all.subarray(at);
    [this.#waiting, this.#waitingBytes] = [rest.length === 0 ? [] : [rest], rest.length];
  }

  async #putSlice(slice: Buffer): Promise<void> {
    const { redis, keys } = this.#link;
    const { maxFileBytes, maxHeldBytes } = this.#limits;
    const names = [keys.fileSlices(this.#id), keys.heldFiles, keys.heldFileBytes];
    const args = [this.#id, this.#slices, slice, UPLOAD_TTL_MS, maxFileBytes, maxHeldBytes];
    const bytes = Number(
      await this.#link.ask(appendScript.run(redis, names, args), { signal: this.#signal }),
    );
    if (bytes === -1)
      throw new FarmError('invalid_argument', `file is too large, limit is ${maxFileBytes} bytes`);
    if (bytes === -2) {
      throw new FarmError(
        'overloaded',
        `the farm keeps ${maxHeldBytes} bytes of files, the limit: delete some`,
        {
          retryAfterMs: UPLOAD_TTL_MS,
        },
      );
    }
    this.#slices += 1;
    this.#bytes = bytes;
  }
}

async function seal(
  link: StoreLink,
  id: string,
  file: NewFile & { readonly bytes: number; readonly source?: string },
): Promise<KeptFile> {
  const { owner, filename, purpose, ttlMs, bytes, source } = file;
  const { redis, keys } = link;
  const fields = { owner, filename, purpose, bytes, ...(source === undefined ? {} : { source }) };
  const names = namesOf(link, owner, id);
  const args = [id, ttlMs, MAX_OWNER_FILES, keys.filePrefix, ...Object.entries(fields).flat()];
  const createdAtMs = Number(await link.ask(sealScript.run(redis, names, args)));
  if (createdAtMs === -1) {
    throw new FarmError('invalid_argument', `there are ${MAX_OWNER_FILES} files, the limit: delete some`);
  }
  if (createdAtMs === -2) throw new FarmError('deadline_exceeded', 'the upload took too long');
  return { id, ...fields, createdAtMs, expiresAtMs: createdAtMs + ttlMs };
}

async function drop(link: StoreLink, owner: string, id: string): Promise<number> {
  return Number(await link.ask(dropScript.run(link.redis, namesOf(link, owner, id), [id])));
}

function namesOf({ keys }: StoreLink, owner: string, id: string): string[] {
  return [keys.file(id), keys.fileSlices(id), keys.heldFiles, keys.heldFileBytes, keys.files(owner)];
}

function newId(): string {
  return `file-${randomUUID().replaceAll('-', '')}`;
}

/** Nothing where there is none, or another put something else there. */
function toFile(id: string, fields: Record<string, string>): KeptFile | undefined {
  const parsed = fileSchema.safeParse(fields);
  return parsed.success ? { id, ...parsed.data } : undefined;
}
