import type { Shape } from '../bench-model.ts';
import { median } from '../percentile.ts';
import type { ProcessMemory } from './contender-calls.ts';
import { openOurs } from './contenders.ts';
import type { Measuring } from './speed.ts';

/** What a process with one device holds, and what a second device adds. Medians of the rounds. */
export interface MemoryResult {
  readonly shape: Shape;
  readonly one: ProcessMemory;
  readonly added: ProcessMemory;
}

const MAX_ROUNDS = 3;
const TEXTS = 512;

/**
 * Engines of one and of two devices in turn, each in a new process, after the same texts.
 *
 * @returns undefined where the kernel does not tell.
 */
export async function measureMemory(
  options: { shape: Shape; model: string; cacheDir: string },
  { rounds: wished, seed, signal, say }: Measuring,
): Promise<MemoryResult | undefined> {
  const { shape, ...engine } = options;
  const held = async (devices: string): Promise<ProcessMemory | null> => {
    signal.throwIfAborted();
    // The device of all cores is a third session.
    const process = await openOurs({ ...engine, devices, lowLatency: false }, 'fp32', signal);
    try {
      const load = { workload: { name: 'mix', texts: TEXTS, seed }, callTexts: TEXTS } as const;
      await process.call('measure', { load });
      return await process.call('memory', {});
    } finally {
      await process.close();
    }
  };
  // What the first engine of a model writes into its caches is not what it holds.
  say(`${shape}, memory: warm-up`);
  await held('cpu:1');
  const rounds = Math.min(wished, MAX_ROUNDS);
  const ones: ProcessMemory[] = [];
  const added: ProcessMemory[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const one = await held('cpu:1');
    const two = await held('cpu:2');
    if (one === null || two === null) return undefined;
    ones.push(one);
    added.push(combine(one, two, (less, more) => more - less));
    say(
      `${shape}, memory: round ${round} of ${rounds}: ${mebibytes(one)} MiB, a second device ${mebibytes(added.at(-1))}`,
    );
  }
  return { shape, one: mediansOf(ones), added: mediansOf(added) };
}

function mediansOf(all: readonly ProcessMemory[]): ProcessMemory {
  return {
    residentBytes: median(all.map(({ residentBytes }) => residentBytes)),
    anonymousBytes: median(all.map(({ anonymousBytes }) => anonymousBytes)),
    proportionalBytes: median(all.map(({ proportionalBytes }) => proportionalBytes)),
  };
}

function combine(
  one: ProcessMemory,
  two: ProcessMemory,
  join: (a: number, b: number) => number,
): ProcessMemory {
  return {
    residentBytes: join(one.residentBytes, two.residentBytes),
    anonymousBytes: join(one.anonymousBytes, two.anonymousBytes),
    proportionalBytes: join(one.proportionalBytes, two.proportionalBytes),
  };
}

function mebibytes(memory: ProcessMemory | undefined): string {
  return ((memory?.proportionalBytes ?? Number.NaN) / 2 ** 20).toFixed(0);
}
