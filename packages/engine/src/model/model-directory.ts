import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConvertProgress } from '@embedfarm/checkpoint/convert';
import { ensureEmbeddedModel } from '@embedfarm/checkpoint/embedded-model';
import { FarmError } from '@embedfarm/contract';
import type { ResolvedEngineOptions } from '../engine-options.ts';
import { ensureConverted } from './ensure-converted.ts';

/** What goes along while a model is made ready. */
export interface OpenCall {
  readonly signal?: AbortSignal;
  /** Told after each tensor, where weights are converted first. */
  readonly onConvert?: (progress: ConvertProgress) => void;
}

/**
 * The directory with the graph: of the embedded model, of weights that are converted once into the cache
 * folder, or the one given.
 *
 * @throws FarmError `invalid_argument` naming what is missing or damaged; `cancelled` on abort.
 */
export async function modelDirectory(options: ResolvedEngineOptions, call: OpenCall): Promise<string> {
  const { model, pooling, poolingLayers } = options;
  const folder = cacheFolder(options);
  if (model !== 'embedded') return await ensureConverted(model, folder, options, call);
  try {
    return await ensureEmbeddedModel(folder, { pooling, poolingLayers });
  } catch (cause) {
    const { detail } = FarmError.from(cause);
    throw new FarmError('invalid_argument', `the embedded model cannot be kept in ${folder}: ${detail}`, {
      cause,
    });
  }
}

/** Where prepared models and measurements are kept. */
export function cacheFolder({ cacheDir }: Pick<ResolvedEngineOptions, 'cacheDir'>): string {
  return cacheDir ?? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'embedfarm');
}
