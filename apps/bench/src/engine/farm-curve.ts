import type { Shape } from '../bench-model.ts';
import { FarmTarget } from '../farm-target.ts';
import { CALL_TOKENS, MAX_CALL_SECONDS, type Curve, type CurvePoint } from './curves.ts';
import type { Measuring } from './speed.ts';

/** What the curve through Redis is called. */
export const FARM_GROUP = 'embedfarm fp32, sdk';

export interface FarmCurveOptions {
  readonly shape: Shape;
  readonly model: string;
  readonly devices: string;
  readonly redis: { readonly url: string; readonly port: number };
}

const WARM_UP_TEXTS = 256;

/** Texts/s by texts per call, of one client, through Redis and one worker process; calls one after the other. */
export async function measureFarmBatches(
  { shape, ...options }: FarmCurveOptions,
  sizes: readonly number[],
  { rounds, seconds, seed, signal, say }: Measuring,
): Promise<Curve> {
  const farm = await FarmTarget.open(
    { ...options, name: shape, clientProcesses: 1, clientsPerProcess: 1 },
    signal,
  );
  const workload = (texts: number) => ({ name: `uniform-${CALL_TOKENS}`, texts, seed }) as const;
  try {
    await farm.bulk(workload(WARM_UP_TEXTS));
    const points: CurvePoint[] = [];
    for (const size of sizes) {
      const last = points.at(-1);
      if (last !== undefined && size / last.textsPerSecond > MAX_CALL_SECONDS) break;
      let calls = 0;
      let spent = 0;
      while (spent < seconds * rounds) {
        signal.throwIfAborted();
        const { load } = await farm.bulk(workload(size));
        spent += load.seconds;
        calls += 1;
      }
      points.push({ at: size, textsPerSecond: (calls * size) / spent, callTexts: size });
      say(
        `${shape}, calls of ${size} through the farm, texts/s: ${points.at(-1)?.textsPerSecond.toFixed(0)}`,
      );
    }
    return { shape, group: FARM_GROUP, points };
  } finally {
    await farm.close();
  }
}
