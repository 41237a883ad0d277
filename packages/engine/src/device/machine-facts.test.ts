import { describe, expect, it } from 'vitest';
import { hardwareFacts, readMachineFacts, type MachineSigns } from './machine-facts.ts';

const signs = (given: Partial<MachineSigns> = {}): MachineSigns => ({
  platform: 'linux',
  deviceFiles: ['null', 'nvidia0', 'nvidia1', 'nvidiactl', 'renderD128'],
  visibleCards: undefined,
  vulkanDrivers: undefined,
  ...given,
});

describe('hardwareFacts', () => {
  it.each([
    [undefined, 2],
    ['1', 1],
    ['1,0', 2],
    ['GPU-8932f937', 1],
    ['', 0],
    ['-1', 0],
    ['0,-1,1', 1],
    ['0,1,2,3', 2],
  ])('counts the cards that CUDA_VISIBLE_DEVICES %j leaves', (visibleCards, cudaCards) => {
    expect(hardwareFacts(signs({ visibleCards })).cudaCards).toBe(cudaCards);
  });

  it.each([
    [signs(), true],
    [signs({ deviceFiles: ['null', 'dxg'] }), true],
    [signs({ deviceFiles: ['null', 'card0'] }), false],
    [signs({ vulkanDrivers: '/opt/vk_swiftshader_icd.json' }), false],
    [signs({ vulkanDrivers: '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json:' }), false],
    [signs({ vulkanDrivers: '/a/lvp_icd.json:/a/nvidia_icd.json' }), true],
    [signs({ platform: 'darwin', deviceFiles: [] }), true],
  ])('tells hardware from software behind WebGPU (%#)', (given, hasAdapter) => {
    expect(hardwareFacts(given).hasAdapter).toBe(hasAdapter);
  });
});

it('reads this machine', async () => {
  const facts = await readMachineFacts();
  expect(facts.cudaCards).toBeGreaterThanOrEqual(0);
  expect(typeof facts.hasCudaProvider).toBe('boolean');
});
