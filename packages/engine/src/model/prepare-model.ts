import { FarmError } from '@embedfarm/contract';
import { readCpuFeatures, weightBitsFor, type CpuFeatures } from '../device/cpu-features.ts';
import type { ResolvedEngineOptions } from '../engine-options.ts';
import { requireCheckedInt8 } from '../int8/checked-int8.ts';
import { FileHashes } from './file-hashes.ts';
import { fingerprintModel, hashModel } from './fingerprint.ts';
import { cacheFolderOf, modelDirectory, pinModel, type OpenCall } from './model-directory.ts';
import { readModelSpec, type ModelSpec } from './model-spec.ts';
import { ensurePrepacked } from './prepacked-graph.ts';

/** A model on disk, ready to be opened on devices. */
export interface PreparedModel {
  readonly spec: ModelSpec;
  readonly fingerprint: string;
  /** The graph to load: the model's own, or one whose weights are laid out for this processor. */
  readonly graphFile: string;
}

/**
 * From the name of a model to files that open fast: downloads it, converts weights, compares int8 with float32, lays
 * weights out for this processor; each of it once, and kept in the cache folder.
 *
 * @throws FarmError `invalid_argument` naming what is missing, damaged, or cannot be had; `cancelled` on abort.
 */
export async function prepareModel(given: ResolvedEngineOptions, call: OpenCall): Promise<PreparedModel> {
  const options = await pinModel(given, call);
  const features = await readCpuFeatures();
  const asItIs = (): Promise<string> => modelDirectory(options, call);
  if (options.dtype !== 'int8') {
    const model = await prepareDirectory(await asItIs(), options, call, features);
    if (options.dtype === 'float32') requireDtype(model.spec, 'float32');
    if (model.spec.dtype === 'int8')
      await requireCheckedInt8(model, features, () => Promise.resolve(undefined));
    return model;
  }
  const directory = await modelDirectory(options, call, weightBitsFor(features));
  const model = await prepareDirectory(directory, options, call, features);
  requireDtype(model.spec, 'int8');
  await requireCheckedInt8(model, features, async () => {
    const twin = await asItIs();
    // A directory that holds a graph comes back as it is, whatever form is asked for.
    return twin === directory ? undefined : await prepareDirectory(twin, options, call, features);
  });
  return model;
}

async function prepareDirectory(
  directory: string,
  options: ResolvedEngineOptions,
  { onNotice }: OpenCall,
  features: CpuFeatures,
): Promise<PreparedModel> {
  const cacheFolder = cacheFolderOf(options);
  const { verify } = options;
  const spec = await readModelSpec(directory, options);
  const hashes = await hashModel(spec, new FileHashes(cacheFolder, { verify }));
  const graphFile = await ensurePrepacked(spec, { cacheFolder, features, hashes, verify, onNotice });
  return { spec, fingerprint: fingerprintModel(spec, hashes), graphFile };
}

function requireDtype({ files, dtype }: ModelSpec, wished: ModelSpec['dtype']): void {
  if (dtype === wished) return;
  throw new FarmError(
    'invalid_argument',
    `dtype is ${wished}, the graph of ${files.directory} is ${dtype}: name the directory of its weights instead`,
  );
}
