import { createHash } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inTemporaryFolder, removeAbandonedFolders } from '@embedfarm/checkpoint/temporary-folder';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import type { CpuFeatures } from '../device/cpu-features.ts';
import { prepackGraph, PREPACKED_DATA_FILE, PREPACKED_GRAPH_FILE } from '../device/prepack-graph.ts';
import { runtimeVersion } from '../device/runtime-version.ts';
import { fileLookSchema, hashFile, lookAt, sameLook } from './file-hashes.ts';
import type { ModelHashes } from './fingerprint.ts';
import type { ModelSpec } from './model-spec.ts';

/** Part of the key: a form that is written in another way gets another number. */
const PREPACKING = 1;

// What is smaller loads in a few ms as it is.
const MIN_DATA_BYTES = 16 * 1024 * 1024;

export interface PrepackCall {
  readonly cacheFolder: string;
  readonly features: CpuFeatures;
  readonly hashes: ModelHashes;
  /** Whether every byte of what is in the cache is read and checked. */
  readonly verify: boolean;
  /** Told what could not be had, and what is done instead. */
  readonly onNotice?: ((notice: string) => void) | undefined;
}

/**
 * The packed graph with its weights laid out as this processor's kernels want them, from the cache folder;
 * made there when it is first asked for. Sessions of all threads and processes map the same file: a BERT-base
 * opens in 0.15 s instead of 0.8, and a second session of it adds 10 MB instead of 350.
 *
 * The layout belongs to the processor's instructions and the runtime's version, and the runtime does not look
 * at it again: the folder's name is a hash of both and of the model's own bytes. A folder appears whole or not
 * at all; one whose files changed since is made anew.
 *
 * @returns the path of the graph to load: the model's own where it is small, no packed one, or where the cache
 *   cannot be written.
 */
export async function ensurePrepacked(spec: ModelSpec, call: PrepackCall): Promise<string> {
  const own = spec.files.graph;
  if (spec.graph !== 'packed' || (await dataBytes(call.hashes)) < MIN_DATA_BYTES) return own;
  const folder = join(call.cacheFolder, 'prepacked', prepackKey(call));
  const graph = join(folder, PREPACKED_GRAPH_FILE);
  if (await isWhole(folder, call.verify)) {
    await removeAbandonedFolders(dirname(folder));
    return graph;
  }
  try {
    await rm(folder, { recursive: true, force: true });
    await makeFolder(folder, own);
  } catch (thrown) {
    // Another process was quicker.
    if (await isWhole(folder, false)) return graph;
    const { detail } = FarmError.from(thrown);
    call.onNotice?.(`weights are loaded as they are, slower: ${folder} cannot be written: ${detail}`);
    return own;
  }
  return graph;
}

function prepackKey({ features, hashes }: PrepackCall): string {
  const content = [
    PREPACKING,
    runtimeVersion(),
    features.key,
    hashes.graph,
    hashes.data.map(({ sha256 }) => sha256),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}

async function dataBytes({ data }: ModelHashes): Promise<number> {
  const sizes = await Promise.all(data.map(async ({ path }) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const FILES = [PREPACKED_GRAPH_FILE, PREPACKED_DATA_FILE];
const RECORD_FILE = 'prepacked.json';
const recordSchema = z.record(z.string(), fileLookSchema.extend({ sha256: z.string() }));

async function makeFolder(folder: string, graph: string): Promise<void> {
  await inTemporaryFolder(folder, async (temporary) => {
    await prepackGraph(graph, temporary);
    const record: z.output<typeof recordSchema> = {};
    for (const name of FILES) {
      const path = join(temporary, name);
      record[name] = { ...(await lookAt(path)), sha256: await hashFile(path) };
    }
    await writeFile(join(temporary, RECORD_FILE), JSON.stringify(record));
    await rename(temporary, folder);
  });
}

/** Size, time of change and first 4 KiB of every file as they were; with `verify` every byte. */
async function isWhole(folder: string, verify: boolean): Promise<boolean> {
  try {
    const record = recordSchema.parse(JSON.parse(await readFile(join(folder, RECORD_FILE), 'utf8')));
    for (const name of FILES) {
      const noted = record[name];
      if (!noted || !sameLook(noted, await lookAt(join(folder, name)))) return false;
      if (verify && noted.sha256 !== (await hashFile(join(folder, name)))) return false;
    }
    return true;
  } catch {
    return false;
  }
}
