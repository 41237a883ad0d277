import { createHash, type Hash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseBertConfig } from '@embedfarm/checkpoint/bert-config';
import { convertModel, type ConvertOptions, type ConvertProgress } from '@embedfarm/checkpoint/convert';
import type { Pooling } from '@embedfarm/checkpoint/pooling';
import type { WeightBits } from '@embedfarm/checkpoint/quantize-columns';
import { readSentenceTransformer } from '@embedfarm/checkpoint/sentence-transformer-source';
import { removeAbandonedFolders } from '@embedfarm/checkpoint/temporary-folder';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import type { ResolvedEngineOptions } from '../engine-options.ts';
import { makeInt8 } from '../int8/make-int8.ts';
import { isFile } from './is-file.ts';
import { readModelJson } from './model-files.ts';

/** Part of the cache key: a conversion that writes other bits gets another number. */
const CONVERSION = 2;

/**
 * The directory that the engine loads for a model directory: the one given where it holds a graph, or
 * else its weights converted, once, in the cache folder. What is in the cache belongs to the files'
 * names, sizes and times of change, and to the choices that the graph depends on.
 *
 * @param identity of files that never change: it stands for them, wherever they are and whenever they came.
 * @throws FarmError `invalid_argument` naming the file or tensor that is missing or damaged.
 */
export async function ensureConverted(
  directory: string,
  cacheFolder: string,
  { pooling, poolingLayers, normalize, lowercase, weightBits }: ConversionWishes,
  { signal, onConvert, identity }: ConversionCall = {},
): Promise<string> {
  if (!(await isConvertible(directory, pooling))) return directory;
  const source = resolve(directory);
  const wishes = { pooling, poolingLayers, normalize, lowercase, weightBits };
  const key = identity ? keyOf(identity, wishes).digest('hex') : await sourceKey(source, wishes);
  const target = join(cacheFolder, 'converted', `${basename(source)}-${key.slice(0, 16)}`);
  if (await isFile(join(target, 'embedfarm.json'))) {
    await removeAbandonedFolders(dirname(target));
    return target;
  }
  try {
    const options: ConvertOptions = {
      ...(pooling !== undefined && { pooling }),
      ...(poolingLayers !== undefined && { poolingLayers }),
      ...(normalize !== undefined && { normalize }),
      ...(lowercase !== undefined && { lowercase }),
      ...(signal !== undefined && { signal }),
      ...(onConvert !== undefined && { onProgress: onConvert }),
    };
    const { directory: converted } =
      weightBits === undefined
        ? await convertModel(source, target, options)
        : await makeInt8(source, target, weightBits, options);
    return converted;
  } catch (thrown) {
    // Another process was quicker.
    if (await isFile(join(target, 'embedfarm.json'))) return target;
    throw FarmError.from(thrown);
  }
}

interface ConversionCall {
  readonly signal?: AbortSignal;
  readonly onConvert?: (progress: ConvertProgress) => void;
  readonly identity?: string;
}

export interface ConversionWishes extends Partial<
  Pick<ResolvedEngineOptions, 'pooling' | 'poolingLayers' | 'normalize' | 'lowercase'>
> {
  readonly weightBits?: WeightBits | undefined;
}

/**
 * Whether a directory holds weights that we build the graph for. A graph of the farm's own is taken as it
 * is; so is a foreign one, but where weights that our graph fits stand beside it ours is faster and exact.
 */
async function isConvertible(directory: string, pooling: Pooling | undefined): Promise<boolean> {
  const names = await readdir(directory).catch((): string[] => []);
  if (names.includes('embedfarm.json') || names.includes('model.onnx')) return false;
  const hasExport = await isFile(join(directory, 'onnx', 'model.onnx'));
  if (hasWeights(names)) return !hasExport || (await fitsOurGraph(directory));
  if (hasExport || !names.includes('modules.json')) return false;
  // Older sentence-transformers keep the encoder in a folder of its own.
  const { encoderDirectory } = readSentenceTransformer(directory, pooling);
  return hasWeights(await readdir(encoderDirectory).catch((): string[] => []));
}

function hasWeights(names: readonly string[]): boolean {
  return names.some(
    (name) => /^model\.safetensors(\.index\.json)?$/.test(name) || /\.ckpt(-\d+)?\.index$/.test(name),
  );
}

async function fitsOurGraph(directory: string): Promise<boolean> {
  const config = await readModelJson(directory, 'config.json', z.unknown());
  try {
    parseBertConfig(config);
    return true;
  } catch {
    return false;
  }
}

/**
 * Names, sizes and times of change of all files, and what was asked for. Image builders and archives give all
 * files one mtime, and the weights of two versions of a model have one size: ctime tells them apart, and
 * nobody can set it.
 */
async function sourceKey(source: string, wishes: ConversionWishes): Promise<string> {
  const hash = keyOf(source, wishes);
  for (const name of (await readdir(source, { recursive: true })).toSorted()) {
    // A link to nowhere is a fact like the others; whether the file is needed shows later.
    const found = await stat(join(source, name)).catch(() => undefined);
    hash.update(JSON.stringify([name, found?.size, found?.mtimeMs, found?.ctimeMs]));
  }
  return hash.digest('hex');
}

function keyOf(source: string, wishes: ConversionWishes): Hash {
  return createHash('sha256').update(JSON.stringify([CONVERSION, source, wishes]));
}
