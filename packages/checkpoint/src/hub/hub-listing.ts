import { FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { parseJson } from '../read-json-file.ts';
import { HubError } from './hub-error.ts';
import type { HubId } from './hub-id.ts';
import type { Hub } from './hub.ts';

/** How a file proves that it is the one: git's own hash of small files, sha256 of large ones. */
export interface Checksum {
  readonly kind: 'sha256' | 'git';
  /** Hexadecimal, lower case. */
  readonly value: string;
}

export interface HubFile {
  /** From the model's directory on, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly checksum: Checksum;
}

/** The files of a model at one commit. */
export interface HubListing {
  readonly commit: string;
  readonly paths: readonly string[];
  /** @throws FarmError `invalid_argument` where the hub tells no size or no checksum. */
  readonly file: (path: string, signal: AbortSignal | undefined) => Promise<HubFile>;
}

// Some 300 bytes a file, and the largest models have some hundreds of files. As for other JSON: see read-json-file.ts.
const MAX_LISTING_BYTES = 1 << 22;

/**
 * @throws HubError for a model or revision that is not there or not given; FarmError `invalid_argument` for a
 *   listing that is none, or has a path that leads out of its directory.
 *
 * Source: https://huggingface.co/docs/hub/api, and model_info in huggingface_hub, src/huggingface_hub/hf_api.py.
 */
export async function listModel(
  hub: Hub,
  { model, revision }: HubId,
  signal: AbortSignal | undefined,
): Promise<HubListing> {
  const what = `${model}@${revision}`;
  const path = `api/models/${model}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const listing = await hub.request({ path, what }, signal, async (response, heard) =>
    parseOptions(
      `the listing of ${what}`,
      listingSchema,
      parseJson(`the listing of ${what}`, await readAll(response, MAX_LISTING_BYTES, what, heard)),
    ),
  );
  const { sha: commit, siblings } = listing;
  const known = new Map(siblings.map((sibling) => [sibling.rfilename, sibling]));
  return {
    commit,
    paths: [...known.keys()],
    file: async (name, fileSignal) =>
      fileOf(known.get(name)) ?? (await askForFile(hub, { model, commit, path: name }, fileSignal)),
  };
}

/** The path of a file on the hub, from its base URL on. */
export function filePath(model: string, commit: string, path: string): string {
  return `${model}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

type Sibling = z.output<typeof siblingSchema>;

function fileOf(sibling: Sibling | undefined): HubFile | undefined {
  if (sibling === undefined) return undefined;
  const { rfilename: path, size, blobId, lfs } = sibling;
  if (lfs) return { path, bytes: lfs.size, checksum: { kind: 'sha256', value: lfs.sha256 } };
  if (typeof size !== 'number' || typeof blobId !== 'string') return undefined;
  return { path, bytes: size, checksum: { kind: 'git', value: blobId } };
}

/** Mirrors may list nothing but names; then the head of the file says the rest, as huggingface_hub has it. */
async function askForFile(
  hub: Hub,
  { model, commit, path }: { model: string; commit: string; path: string },
  signal: AbortSignal | undefined,
): Promise<HubFile> {
  const what = `${path} of ${model}`;
  const request = {
    path: filePath(model, commit, path),
    what,
    method: 'HEAD',
    // What a large file redirects to may be signed for GET alone.
    isAnswer: (headers: Headers) => headers.has('x-linked-etag'),
  } as const;
  const { headers } = await hub.request(request, signal, (response) => Promise.resolve(response));
  const etag = headers.get('x-linked-etag') ?? headers.get('etag') ?? '';
  const value = etag
    .replace(/^(?:W\/)?"?/, '')
    .replace(/"$/, '')
    .toLowerCase();
  const kind = HASH_KINDS[value.length];
  const size = headers.get('x-linked-size') ?? headers.get('content-length');
  if (kind === undefined || !/^[0-9a-f]+$/.test(value) || size === null || !/^\d{1,15}$/.test(size)) {
    throw new HubError(`the hub tells no size or no checksum of ${what}: it cannot be trusted`);
  }
  return { path, bytes: Number(size), checksum: { kind, value } };
}

const HASH_KINDS: Readonly<Record<number, Checksum['kind']>> = { 40: 'git', 64: 'sha256' };

async function readAll(
  response: Response,
  maxBytes: number,
  what: string,
  heard: () => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    heard();
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new FarmError('invalid_argument', `the listing of ${what} has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Whether a path stays in the directory that it is joined to, on any system. */
function isInside(path: string): boolean {
  // oxlint-disable-next-line no-control-regex
  if (path === '' || /[\\\u0000-\u001f]|^[A-Za-z]:/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

const sizeSchema = z.int().min(0);
const siblingSchema = z.object({
  rfilename: z.string().refine(isInside, {
    error: ({ input }) => `the path ${JSON.stringify(input)} leads out of the model's directory`,
  }),
  size: sizeSchema.nullish(),
  blobId: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullish(),
  lfs: z.object({ size: sizeSchema, sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullish(),
});
const listingSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(siblingSchema),
});
