import { createHash, type Hash } from 'node:crypto';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { convertModel, type ConvertOptions, type ConvertProgress } from '@embedfarm/checkpoint/convert';
import type { WeightBits } from '@embedfarm/checkpoint/quantize-columns';
import { MODEL_TYPES } from '@embedfarm/checkpoint/family/encoder-family';
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
  if (!(await isConvertible(directory))) return directory;
  const source = resolve(directory);
  const wishes = { pooling, poolingLayers, normalize, lowercase, weightBits };
  const key = identity ? keyOf(identity, wishes).digest('hex') : await sourceKey(source, wishes);
  const folder = join(cacheFolder, 'converted');
  const target = join(folder, `${basename(source)}-${key.slice(0, 16)}`);
  if (await isFile(join(target, 'embedfarm.json'))) return target;
  await mkdir(folder, { recursive: true });
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
 * is; so is a foreign one, but where the weights of a family that we know stand beside it ours is faster and
 * exact.
 */
async function isConvertible(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch((): string[] => []);
  if (names.includes('embedfarm.json') || names.includes('model.onnx')) return false;
  if ((await isFile(join(directory, 'onnx', 'model.onnx'))) && !(await isOfKnownFamily(directory)))
    return false;
  return names.some(
    (name) => /^model\.safetensors(\.index\.json)?$/.test(name) || /\.ckpt(-\d+)?\.index$/.test(name),
  );
}

async function isOfKnownFamily(directory: string): Promise<boolean> {
  const config = await readModelJson(directory, 'config.json', familySchema);
  return MODEL_TYPES.some((known) => known === (config?.model_type ?? 'bert'));
}
const familySchema = z.object({ model_type: z.string().optional() });

/** Names, sizes and times of change of all files, and what was asked for. */
async function sourceKey(source: string, wishes: ConversionWishes): Promise<string> {
  const hash = keyOf(source, wishes);
  for (const name of (await readdir(source, { recursive: true })).toSorted()) {
    const { size, mtimeMs } = await stat(join(source, name));
    hash.update(JSON.stringify([name, size, mtimeMs]));
  }
  return hash.digest('hex');
}

function keyOf(source: string, wishes: ConversionWishes): Hash {
  return createHash('sha256').update(JSON.stringify([CONVERSION, source, wishes]));
}
