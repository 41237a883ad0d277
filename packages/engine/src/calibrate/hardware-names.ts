import { readdir, readFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { join } from 'node:path';

/**
 * What runs the model here, as far as the system tells: a measurement is of these. Processors, NVIDIA's cards,
 * other cards by vendor and device, and the variables that choose among them.
 */
export async function hardwareNames(): Promise<readonly string[]> {
  const { env } = process;
  return [
    arch(),
    ...new Set(cpus().map(({ model }) => model)),
    ...(await linesOf('/proc/driver/nvidia/gpus', 'information', /^Model:/)),
    ...(await linesOf('/sys/class/drm', 'device/vendor', /./)),
    ...(await linesOf('/sys/class/drm', 'device/device', /./)),
    ...['CUDA_VISIBLE_DEVICES', 'VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].map(
      (name) => `${name}=${env[name] ?? ''}`,
    ),
  ];
}

/** Of the file that each entry of a folder has, the lines that match. */
async function linesOf(folder: string, file: string, line: RegExp): Promise<string[]> {
  const entries = await readdir(folder).catch((): string[] => []);
  const texts = await Promise.all(
    entries.toSorted().map((entry) => readFile(join(folder, entry, file), 'utf8').catch(() => '')),
  );
  return texts.flatMap((text) => text.split('\n').filter((found) => line.test(found)));
}
