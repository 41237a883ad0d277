import { readFile } from 'node:fs/promises';
import { arch, cpus, platform } from 'node:os';
import type { WeightBits } from '@embedfarm/checkpoint/quantize-columns';

/** What of the processor decides how weights are laid out and multiplied. */
export interface CpuFeatures {
  /** Names processors that use the same kernels of the runtime: part of the keys of what is made for one. */
  readonly key: string;
  /**
   * Whether products of bytes are added in 32 bits. Elsewhere on x86 two are added in 16 bits first
   * (VPMADDUBSW), which overflows with weights of 8 bits: 255 * 127 * 2 > 32,767 > 255 * 63 * 2.
   */
  readonly addsBytesExactly: boolean;
}

const EXACT_FLAGS = ['avx512_vnni', 'avx_vnni', 'amx_int8'];

/** Linux says which instructions there are; where nothing is known, the careful answer is taken. */
export async function readCpuFeatures(): Promise<CpuFeatures> {
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return cpuFeaturesOf({ architecture: arch(), system: platform(), model: cpus()[0]?.model ?? '', info });
}

/** How many bits of an int8 weight the processor multiplies without overflow. */
export function weightBitsFor({ addsBytesExactly }: CpuFeatures): WeightBits {
  return addsBytesExactly ? 8 : 7;
}

/** Pure. `info` is the content of /proc/cpuinfo, empty where there is none. */
export function cpuFeaturesOf(machine: {
  architecture: string;
  system: string;
  model: string;
  info: string;
}): CpuFeatures {
  const { architecture, system, model, info } = machine;
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1]?.trim().split(/\s+/).toSorted() ?? [];
  return {
    key: [system, architecture, model.trim(), ...flags].join(' '),
    addsBytesExactly: architecture === 'arm64' || EXACT_FLAGS.some((flag) => flags.includes(flag)),
  };
}
