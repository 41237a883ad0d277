import { FarmError } from '@embedfarm/contract';
import { describe, expect, it } from 'vitest';
import type { MachineFacts } from './machine-facts.ts';
import { openDevices, planAuto } from './open-devices.ts';

const BARE: MachineFacts = { hasCudaProvider: false, cudaCards: 0, hasAdapter: false };
const FULL: MachineFacts = { hasCudaProvider: true, cudaCards: 2, hasAdapter: true };

describe('planAuto', () => {
  it.each<[string, MachineFacts, string[], RegExp[]]>([
    ['every card, then WebGPU', FULL, ['cuda:0,cuda:1', 'webgpu'], []],
    ['nothing on a machine without hardware', BARE, [], [/no NVIDIA card/, /no graphics hardware/]],
    [
      'WebGPU where the CUDA provider is not installed',
      { ...FULL, hasCudaProvider: false },
      ['webgpu'],
      [/cuda12 npm rebuild/],
    ],
  ])('tries %s', (_, facts, tries, notes) => {
    const plan = planAuto(facts);
    expect(plan.tries).toEqual(tries);
    expect(plan.notes).toEqual(notes.map((note) => expect.stringMatching(note) as string));
  });
});

/** Opens the kinds named; the others lack what they need. */
function opens(...kinds: string[]): {
  tried: string[][];
  open: (names: readonly string[]) => Promise<string>;
} {
  const tried: string[][] = [];
  const open = async (names: readonly string[]): Promise<string> => {
    tried.push([...names]);
    if (kinds.some((kind) => names[0]?.startsWith(kind))) return names.join();
    throw new FarmError('invalid_argument', `${names[0]} lacks a library`);
  };
  return { tried, open };
}

describe('openDevices', () => {
  it('opens what is named, and looks at nothing else', async () => {
    const { open } = opens('cuda', 'cpu');
    const never = (): never => expect.unreachable();
    await expect(openDevices('cuda:1,cpu:2', open, never)).resolves.toEqual({
      pool: 'cuda:1,cpu/0,cpu/1',
      choice: { names: ['cuda:1', 'cpu/0', 'cpu/1'], notes: [] },
    });
  });

  it('does not fall back from a device that is named', async () => {
    const { open, tried } = opens('cpu');
    await expect(openDevices('cuda', open, async () => FULL)).rejects.toThrow('cuda:0 lacks a library');
    expect(tried).toEqual([['cuda:0']]);
  });

  it('takes the best kind that opens for auto, and says why not a better one', async () => {
    const { open, tried } = opens('webgpu', 'cpu');
    const { choice } = await openDevices('auto', open, async () => FULL);
    expect(choice).toEqual({ names: ['webgpu'], notes: ['cuda:0,cuda:1: cuda:0 lacks a library'] });
    expect(tried).toEqual([['cuda:0', 'cuda:1'], ['webgpu']]);
  });

  it('falls back to the cores', async () => {
    const { choice } = await openDevices('auto', opens('cpu').open, async () => FULL);
    expect(choice.names[0]).toBe('cpu/0');
    expect(choice.notes).toHaveLength(2);
  });

  it('throws what the cores throw', async () => {
    await expect(openDevices('auto', opens().open, async () => BARE)).rejects.toThrow(
      'cpu/0 lacks a library',
    );
  });
});
