import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isFile } from '../model/is-file.ts';

/** What of a machine decides which devices `auto` tries. */
export interface MachineFacts {
  /** Whether the CUDA provider's library stands beside the runtime: npm does not bring it. */
  readonly hasCudaProvider: boolean;
  /** NVIDIA cards that the process may use. */
  readonly cudaCards: number;
  /** Whether hardware may stand behind WebGPU. */
  readonly hasAdapter: boolean;
}

/** Node's names in what follows: https://nodejs.org/api/process.html#processplatform. */
export interface MachineSigns {
  readonly platform: string;
  /** Names in /dev and /dev/dri. */
  readonly deviceFiles: readonly string[];
  /** CUDA_VISIBLE_DEVICES */
  readonly visibleCards: string | undefined;
  /** VK_ICD_FILENAMES or VK_DRIVER_FILES: what the Vulkan loader reads instead of its folders. */
  readonly vulkanDrivers: string | undefined;
}

export async function readMachineFacts(): Promise<MachineFacts> {
  const { platform, arch, env } = process;
  const [dev, dri] = await Promise.all([namesIn('/dev'), namesIn('/dev/dri')]);
  const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node'));
  const library = join(runtime, '../bin/napi-v6', platform, arch, 'libonnxruntime_providers_cuda.so');
  const signs = {
    platform,
    deviceFiles: [...dev, ...dri],
    visibleCards: env['CUDA_VISIBLE_DEVICES'],
    vulkanDrivers: env['VK_DRIVER_FILES'] || env['VK_ICD_FILENAMES'],
  };
  return { hasCudaProvider: await isFile(library), ...hardwareFacts(signs) };
}

export function hardwareFacts(signs: MachineSigns): Omit<MachineFacts, 'hasCudaProvider'> {
  return { cudaCards: countCards(signs), hasAdapter: hasAdapter(signs) };
}

/** `/dev/nvidia0`, …, of which CUDA_VISIBLE_DEVICES leaves those before the first one it does not know. */
function countCards({ deviceFiles, visibleCards }: MachineSigns): number {
  const cards = deviceFiles.filter((name) => /^nvidia\d+$/.test(name)).length;
  if (visibleCards === undefined) return cards;
  const visible = visibleCards.split(',').map((card) => card.trim());
  const end = visible.findIndex((card) => card === '' || card === '-1');
  return Math.min(cards, end < 0 ? visible.length : end);
}

// Mesa's and Google's rasterizers: ten times as slow as the cores that they run on.
const SOFTWARE_DRIVER = /lvp|lavapipe|swiftshader/i;

/**
 * The runtime does not name its adapter. On Linux a card has a render node, NVIDIA's own node or, under
 * Windows, /dev/dxg; elsewhere the system's adapter is taken for hardware.
 */
function hasAdapter({ platform, deviceFiles, vulkanDrivers }: MachineSigns): boolean {
  if (platform !== 'linux') return true;
  const drivers = vulkanDrivers?.split(':').filter((path) => path !== '') ?? [];
  if (drivers.length > 0 && drivers.every((path) => SOFTWARE_DRIVER.test(path))) return false;
  return deviceFiles.some((name) => /^(renderD\d+|nvidia\d+|dxg)$/.test(name));
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
