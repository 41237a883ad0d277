import { mkdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { parseBertConfig } from '../bert-config.ts';
import { readWholeFile } from '../read-file-range.ts';
import { parseJson } from '../read-json-file.ts';
import { stored } from '../stored.ts';
import { chooseConfig, chooseDescriptions, chooseWeights } from './choose-files.ts';
import { downloadFile } from './download-file.ts';
import { DownloadFolder, removeAbandoned } from './download-folder.ts';
import type { HubCache } from './hub-cache.ts';
import type { HubId } from './hub-id.ts';
import type { HubFile, HubListing } from './hub-listing.ts';
import type { Hub } from './hub.ts';
import { inParallel } from './in-parallel.ts';
import { isKept } from './part-file.ts';
import { retrying, type HubPace } from './retrying.ts';

/** What goes along while a model is fetched. */
export interface FetchCall {
  readonly signal?: AbortSignal | undefined;
  /** Told of every piece that arrives; not at all where the model is in the cache. */
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Told in a sentence when the cache had to do. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  readonly pace?: HubPace;
}

export interface DownloadProgress {
  /** `org/name`. */
  readonly model: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ModelDownload {
  readonly id: HubId;
  readonly listing: HubListing;
  readonly cache: HubCache;
  readonly call: FetchCall;
}

// More than a few share the same line.
const PARALLEL_FILES = 3;

const MAX_CONFIG_BYTES = 1 << 22;

/**
 * The files of a listing that the farm reads, in the cache.
 *
 * @returns the directory of the model.
 * @throws FarmError as `ensureHubModel`.
 */
export async function downloadModel(hub: Hub, download: ModelDownload): Promise<string> {
  const { listing, cache } = download;
  const folder = await DownloadFolder.open(cache.folder, listing.commit);
  try {
    const directory = cache.modelFolder(folder.path);
    const files = await chooseFiles(hub, directory, download);
    await checkRoom(files, directory, download);
    await fetchFiles(hub, directory, files, download);
    const published = await cache.publish(folder.path, listing.commit, files);
    await removeAbandoned(cache.folder, listing.commit);
    return published;
  } finally {
    await folder.close();
  }
}

/** The configuration comes first: it says whether our graph fits, and so which weights are wanted. */
async function chooseFiles(hub: Hub, directory: string, download: ModelDownload): Promise<HubFile[]> {
  const { id, listing, call } = download;
  const { paths } = listing;
  const config = chooseConfig(paths);
  const describe = (path: string): Promise<HubFile> =>
    retrying(() => listing.file(path, call.signal), { pace: hub.pace, signal: call.signal });
  if (config !== undefined) {
    const quiet = { ...download, call: { ...call, onDownload: undefined } };
    // It comes before all others are known, so no room was looked for.
    const file = await describe(config);
    if (file.bytes > MAX_CONFIG_BYTES) {
      throw new FarmError(
        'invalid_argument',
        `${id.model}: ${config} has ${file.bytes} bytes, limit is ${MAX_CONFIG_BYTES}`,
      );
    }
    await fetchFiles(hub, directory, [file], quiet);
  }
  const chosen = new Set(chooseDescriptions(paths));
  const misfit = config === undefined ? undefined : misfitOf(join(directory, config));
  for (const path of weightsOf(id, paths, misfit)) chosen.add(path);
  const files: HubFile[] = [];
  for (const path of chosen) files.push(await describe(path));
  return files;
}

function weightsOf({ model }: HubId, paths: readonly string[], misfit: FarmError | undefined): string[] {
  try {
    return chooseWeights(paths, misfit);
  } catch (cause) {
    throw new FarmError('invalid_argument', `${model}: ${FarmError.from(cause).detail}`, { cause });
  }
}

/** Why the graph that we build does not fit, or undefined. */
function misfitOf(config: string): FarmError | undefined {
  try {
    parseBertConfig(parseJson('config.json', readWholeFile(config, MAX_CONFIG_BYTES, 'the JSON')));
    return undefined;
  } catch (thrown) {
    return FarmError.from(thrown);
  }
}

async function fetchFiles(
  hub: Hub,
  directory: string,
  files: readonly HubFile[],
  { id: { model }, listing: { commit }, call }: ModelDownload,
): Promise<void> {
  const totalBytes = sumBytes(files);
  let doneBytes = 0;
  await inParallel(files, PARALLEL_FILES, call.signal, async (file, signal) => {
    const target = join(directory, file.path);
    await stored(target, () => mkdir(dirname(target), { recursive: true }));
    const onBytes = (bytes: number): void => {
      doneBytes += bytes;
      call.onDownload?.({ model, doneBytes, totalBytes });
    };
    await downloadFile(hub, { model, commit, file, target, signal, onBytes });
  });
}

/** A full disk is better met before the download than at its end. */
async function checkRoom(
  files: readonly HubFile[],
  directory: string,
  { id: { model } }: ModelDownload,
): Promise<void> {
  const missing: HubFile[] = [];
  for (const file of files) if (!(await isKept(file, join(directory, file.path)))) missing.push(file);
  const { bavail, bsize } = await stored(directory, () => statfs(dirname(directory)));
  const neededBytes = sumBytes(missing);
  const freeBytes = bavail * bsize;
  if (neededBytes <= freeBytes) return;
  throw new FarmError(
    'invalid_argument',
    `${model} needs ${neededBytes} bytes in ${directory}, ${freeBytes} are free`,
  );
}

function sumBytes(files: readonly HubFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
