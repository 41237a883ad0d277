import { describe, expect, it } from 'vitest';
import { cpuFeaturesOf, readCpuFeatures, weightBitsFor } from './cpu-features.ts';

const infoOf = (flags: string): string => `processor\t: 0\nflags\t\t: ${flags}\nbugs\t\t: none\n`;
const x86 = { architecture: 'x64', system: 'linux', model: 'Some CPU' };

describe('cpuFeaturesOf', () => {
  it.each(['avx512_vnni', 'avx_vnni', 'amx_int8'])('takes weights of 8 bits where there is %s', (flag) => {
    const features = cpuFeaturesOf({ ...x86, info: infoOf(`fpu avx2 ${flag} sse`) });
    expect(features.addsBytesExactly).toBe(true);
    expect(weightBitsFor(features)).toBe(8);
  });

  it.each([
    { ...x86, info: infoOf('fpu avx2 avx512f') },
    { ...x86, info: '' },
    { ...x86, system: 'win32', info: '' },
  ])('takes 7 where there is none, or nothing is known: $system $info', (machine) => {
    expect(weightBitsFor(cpuFeaturesOf(machine))).toBe(7);
  });

  it('takes 8 on 64-bit Arm', () => {
    const arm = { architecture: 'arm64', system: 'darwin', model: 'Apple M3', info: '' };
    expect(weightBitsFor(cpuFeaturesOf(arm))).toBe(8);
  });

  it('has one key for the same flags in another order, another for other flags', () => {
    const key = (flags: string): string => cpuFeaturesOf({ ...x86, info: infoOf(flags) }).key;
    expect(key('fpu avx2')).toBe(key('avx2 fpu'));
    expect(key('fpu avx2')).not.toBe(key('fpu avx2 avx512f'));
  });
});

it('readCpuFeatures tells this machine', async () => {
  expect((await readCpuFeatures()).key.length).toBeGreaterThan(5);
});
