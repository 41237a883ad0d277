import { defaultCacheFolder } from '@embedfarm/checkpoint/cache-folder';
import type { ConvertProgress } from '@embedfarm/checkpoint/convert';
import { ensureEmbeddedModel } from '@embedfarm/checkpoint/embedded-model';
import type { DownloadProgress } from '@embedfarm/checkpoint/hub/download-model';
import { findModelPlace } from '@embedfarm/checkpoint/hub/model-place';
import type { WeightBits } from '@embedfarm/checkpoint/quantize-columns';
import { FarmError } from '@embedfarm/contract';
import type { ResolvedEngineOptions } from '../engine-options.ts';
import { ensureConverted } from './ensure-converted.ts';

/** What goes along while a model is made ready. */
export interface OpenCall {
  readonly signal?: AbortSignal;
  /** Told of every piece that arrives, where a model of the hub is downloaded first. */
  readonly onDownload?: (progress: DownloadProgress) => void;
  /** Told after each tensor, where weights are converted first. */
  readonly onConvert?: (progress: ConvertProgress) => void;
  /** Told in a sentence what could not be had, and what is done instead. */
  readonly onNotice?: (notice: string) => void;
}

/** Where models and what is made of them are kept. */
export function cacheFolderOf({ cacheDir }: Pick<ResolvedEngineOptions, 'cacheDir'>): string {
  return cacheDir ?? defaultCacheFolder();
}

/**
 * Options that name a hub's model by its commit, downloaded if need be: all that is made of it is of one state,
 * even where its branch moves on meanwhile.
 *
 * @throws FarmError `invalid_argument` for what is neither a directory nor on the hub; `cancelled` on abort.
 */
export async function pinModel(
  options: ResolvedEngineOptions,
  call: OpenCall,
): Promise<ResolvedEngineOptions> {
  if (options.model === 'embedded') return options;
  const { identity } = await findModelPlace(options.model, cacheFolderOf(options), options, call);
  return identity === undefined ? options : { ...options, model: identity };
}

/**
 * The directory with the graph: of the embedded model, of weights that are converted once into the cache
 * folder, of a hub's model that is downloaded there, or the one given.
 *
 * @param weightBits for a graph in int8; what is made already stays what it is.
 * @throws FarmError `invalid_argument` naming what is missing or damaged; `cancelled` on abort.
 */
export async function modelDirectory(
  options: ResolvedEngineOptions,
  call: OpenCall,
  weightBits?: WeightBits,
): Promise<string> {
  const { model, pooling, poolingLayers } = options;
  const folder = cacheFolderOf(options);
  if (model !== 'embedded') {
    const { directory, identity } = await findModelPlace(model, folder, options, call);
    const wishes = { ...options, weightBits };
    return await ensureConverted(directory, folder, wishes, { ...call, ...(identity && { identity }) });
  }
  try {
    return await ensureEmbeddedModel(folder, {
      pooling,
      poolingLayers,
      ...(weightBits === undefined ? {} : { quantization: { weightBits } }),
    });
  } catch (cause) {
    const { detail } = FarmError.from(cause);
    throw new FarmError('invalid_argument', `the embedded model cannot be kept in ${folder}: ${detail}`, {
      cause,
    });
  }
}
