import { FarmError } from '@embedfarm/contract';
import { HubError } from './hub-error.ts';
import { filePath, type HubFile } from './hub-listing.ts';
import type { Hub } from './hub.ts';
import { isKept, PartFile } from './part-file.ts';
import { retrying } from './retrying.ts';

export interface DownloadFileOptions {
  readonly model: string;
  readonly commit: string;
  readonly file: HubFile;
  /** Where it goes; its folder is there. */
  readonly target: string;
  readonly signal: AbortSignal | undefined;
  /** Bytes more, or fewer where it begins again; those of an earlier process count. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * One file of a model. Bytes that are there already are not asked for again; a connection that breaks is taken up
 * where it broke.
 *
 * @throws FarmError `invalid_argument` for a wrong checksum (the part is deleted), too many bytes, a full disk;
 *   `HubError` when the hub does not give it; `cancelled`.
 */
export async function downloadFile(hub: Hub, options: DownloadFileOptions): Promise<void> {
  const { file, target, signal, onBytes } = options;
  if (await isKept(file, target)) return onBytes(file.bytes);
  const part = await PartFile.open(file, target);
  try {
    onBytes(part.receivedBytes);
    const transfer = new Transfer(hub, part, options);
    const again = { pace: hub.pace, signal, receivedBytes: () => part.receivedBytes };
    await retrying(() => transfer.run(), again);
    await part.keep();
  } catch (thrown) {
    // What cannot be gone on with is not left to be gone on with.
    if (!(thrown instanceof HubError) && FarmError.from(thrown).code === 'invalid_argument')
      await part.discard();
    throw thrown;
  } finally {
    await part.close();
  }
}

/** The attempts at one file, and what they know of each other. */
class Transfer {
  readonly #hub: Hub;
  readonly #part: PartFile;
  readonly #options: DownloadFileOptions;
  /** Of the bytes received, where the server named it: a part of another file must not follow. */
  #etag: string | undefined;

  constructor(hub: Hub, part: PartFile, options: DownloadFileOptions) {
    this.#hub = hub;
    this.#part = part;
    this.#options = options;
  }

  /** To the end of the file, and its proof. */
  async run(): Promise<void> {
    const { model, commit, file, signal } = this.#options;
    if (this.#part.receivedBytes < file.bytes) {
      const path = filePath(model, commit, file.path);
      const request = {
        path,
        what: `${file.path} of ${model}`,
        headers: this.#rangeHeaders(),
        statuses: [416],
      };
      await this.#hub.request(request, signal, (response, heard) => this.#receive(response, heard));
    }
    const got = this.#part.digest();
    const { kind, value } = file.checksum;
    if (got === value) return;
    const wasInherited = this.#part.inheritedBytes > 0;
    await this.#reset();
    // What an earlier process left may be damaged, as after a power cut: the file gets one more chance.
    if (wasInherited)
      throw new HubError(`${file.path}: what was left of it is damaged`, { isTransient: true });
    const expected = `expected ${value}, got ${got} (${kind === 'git' ? 'git blob sha1' : kind})`;
    throw new FarmError('invalid_argument', `${file.path} of ${model} has a wrong checksum: ${expected}`);
  }

  /** The address holds the commit, so If-Range only guards against a server that forgot which file that is. */
  #rangeHeaders(): Record<string, string> {
    const from = this.#part.receivedBytes;
    if (from === 0) return {};
    return { range: `bytes=${from}-`, ...(this.#etag !== undefined && { 'if-range': this.#etag }) };
  }

  async #receive(response: Response, heard: () => void): Promise<void> {
    const { file, onBytes } = this.#options;
    const { status, headers } = response;
    const from = this.#part.receivedBytes;
    if (status === 416 || (status === 206 && !continues(headers, from))) {
      await this.#reset();
      throw new HubError(`the hub gave another range of ${file.path} than bytes ${from} and on`, {
        isTransient: true,
      });
    }
    // The whole file: the server knows no ranges, or has another one now.
    if (status !== 206 && from > 0) await this.#reset();
    this.#etag = strongEtag(headers);
    for await (const chunk of response.body ?? []) {
      heard();
      await this.#part.write(chunk);
      onBytes(chunk.length);
    }
    const { receivedBytes } = this.#part;
    if (receivedBytes === file.bytes) return;
    throw new HubError(`${file.path} ended after ${receivedBytes} of ${file.bytes} bytes`, {
      isTransient: true,
    });
  }

  async #reset(): Promise<void> {
    this.#options.onBytes(-this.#part.receivedBytes);
    this.#etag = undefined;
    await this.#part.reset();
  }
}

/** A range of a compressed form has other bytes. */
function continues(headers: Headers, from: number): boolean {
  const encoding = headers.get('content-encoding') ?? 'identity';
  const start = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1];
  return encoding === 'identity' && Number(start) === from;
}

/** If-Range takes no weak one. */
function strongEtag(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  return etag !== null && /^"[\x21-\x7e]*"$/.test(etag) ? etag : undefined;
}
