import type { Shape } from '../bench-model.ts';
import type { Contender } from './contenders.ts';
import { closeContenders, openOurs } from './contenders.ts';
import { interleave } from './interleave.ts';
import { ratioOf, type Rates } from './rates.ts';
import type { Measuring } from './speed.ts';

/** Two devices against one, in fp32 on the mix. */
export interface ThreadsResult {
  readonly shape: Shape;
  readonly ways: readonly Rates[];
  readonly ratio: number;
}

export async function measureThreads(
  { shape, model, cacheDir }: { shape: Shape; model: string; cacheDir: string },
  { rounds, seconds, seed, ...control }: Measuring,
): Promise<ThreadsResult> {
  const opened: Contender[] = [];
  try {
    for (const devices of DEVICES) {
      const process = await openOurs({ model, devices, cacheDir }, 'fp32', control.signal);
      opened.push({ name: 'embedfarm', dtype: 'fp32', process });
    }
    const ways = await interleave(
      opened.map(({ process }, index) => {
        const key = DEVICES[index] ?? '';
        return { key, group: key, process, callTexts: undefined };
      }),
      { title: `${shape}, threads`, workload: { name: 'mix', seed }, rounds, seconds },
      control,
    );
    return { shape, ways, ratio: ratioOf(ways, DEVICES[1], DEVICES[0]) };
  } finally {
    await closeContenders(opened);
  }
}

const DEVICES = ['cpu:1', 'cpu:2'] as const;
