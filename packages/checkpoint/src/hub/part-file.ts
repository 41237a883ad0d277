import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { FarmError } from '@embedfarm/contract';
import { stored } from '../stored.ts';
import type { HubFile } from './hub-listing.ts';

const READ_BYTES = 1 << 20;

/**
 * A file on its way: `<target>.part` until it is whole and proved. The checksum grows with every write; what an
 * earlier process left is read and hashed first.
 */
export class PartFile {
  readonly #file: HubFile;
  readonly #target: string;
  readonly #handle: FileHandle;
  #hash: Hash;
  #receivedBytes = 0;
  #inheritedBytes = 0;

  private constructor(file: HubFile, target: string, handle: FileHandle) {
    this.#file = file;
    this.#target = target;
    this.#handle = handle;
    this.#hash = newHash(file);
  }

  /** @throws FarmError `invalid_argument` where the file cannot be kept. */
  static async open(file: HubFile, target: string): Promise<PartFile> {
    // A link in its place could lead anywhere.
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const part = `${target}.part`;
    const handle = await stored(part, () => open(part, flags, 0o644));
    const opened = new PartFile(file, target, handle);
    try {
      await opened.#inherit();
      return opened;
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes that were there when it was opened, and are now trusted no further than the checksum goes. */
  get inheritedBytes(): number {
    return this.#inheritedBytes;
  }

  /** @throws FarmError `invalid_argument` where more comes than was announced, or the disk is full. */
  async write(chunk: Uint8Array): Promise<void> {
    const { path, bytes } = this.#file;
    if (this.#receivedBytes + chunk.length > bytes) {
      throw new FarmError(
        'invalid_argument',
        `${path}: the hub sent more than the ${bytes} bytes it announced`,
      );
    }
    await stored(this.#target, () => this.#writeAll(chunk));
    this.#hash.update(chunk);
    this.#receivedBytes += chunk.length;
  }

  /** From nothing again. */
  async reset(): Promise<void> {
    await stored(this.#target, () => this.#handle.truncate(0));
    this.#hash = newHash(this.#file);
    this.#receivedBytes = 0;
    this.#inheritedBytes = 0;
  }

  /** The checksum of what was received. It can be asked for once. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** Safe on disk, and under its own name. */
  async keep(): Promise<void> {
    await stored(this.#target, async () => {
      await this.#handle.sync();
      await rename(`${this.#target}.part`, this.#target);
    });
  }

  async discard(): Promise<void> {
    await unlink(`${this.#target}.part`).catch(() => undefined);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #inherit(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size > this.#file.bytes) return this.reset();
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    while (this.#receivedBytes < size) {
      const { bytesRead } = await this.#handle.read(buffer, 0, READ_BYTES, this.#receivedBytes);
      if (bytesRead === 0) break;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#receivedBytes += bytesRead;
    }
    this.#inheritedBytes = this.#receivedBytes;
  }

  /** At its place, whatever another process that shares the file does: it writes the same bytes. */
  async #writeAll(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const { bytesWritten } = await this.#handle.write(
        chunk,
        at,
        chunk.length - at,
        this.#receivedBytes + at,
      );
      at += bytesWritten;
    }
  }
}

/** Whether a file is there in its full size: only what is proved has its own name. */
export async function isKept({ bytes }: HubFile, target: string): Promise<boolean> {
  const found = await lstat(target).catch(() => undefined);
  return found?.isFile() === true && found.size === bytes;
}

function newHash({ bytes, checksum }: HubFile): Hash {
  if (checksum.kind === 'sha256') return createHash('sha256');
  // Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
  return createHash('sha1').update(`blob ${bytes}\0`);
}
