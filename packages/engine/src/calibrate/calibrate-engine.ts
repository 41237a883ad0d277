import { allowedCores } from '../device/allowed-cores.ts';
import type { WarmDevice } from '../device/device-pool.ts';
import { runtimeVersion } from '../device/runtime-version.ts';
import type { ResolvedEngineOptions } from '../engine-options.ts';
import { cacheFolderOf } from '../model/model-directory.ts';
import type { ModelSpec } from '../model/model-spec.ts';
import { CalibrationCache, type Calibration } from './calibration-cache.ts';
import { calibrate } from './calibrate.ts';
import { hardwareNames } from './hardware-names.ts';

/**
 * The calibration of an engine's devices, where it is asked for and no budget is said. It belongs to the
 * model, the runtime, the hardware and the set of devices.
 */
export async function calibrateEngine(
  devices: readonly WarmDevice[],
  { spec, fingerprint }: { spec: ModelSpec; fingerprint: string },
  options: ResolvedEngineOptions,
): Promise<Calibration> {
  if (!options.calibrate || options.tokenBudget !== undefined) return new Map();
  const cache = new CalibrationCache(cacheFolderOf(options), {
    fingerprint,
    runtime: runtimeVersion(),
    hardware: await hardwareNames(),
    devices: devices.map(({ device }) => device.name),
  });
  const { graph, maxSequenceLength, padId: tokenId } = spec;
  return calibrate(devices, cache, {
    graph,
    maxSequenceLength,
    tokenId,
    now: () => performance.now(),
    cpuMs,
    cores: await allowedCores(),
  });
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
