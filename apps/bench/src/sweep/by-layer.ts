import { BERT_SHAPES } from '@embedfarm/checkpoint/random-model';
import type { RunControl } from '../run-bench.ts';
import { measureRounds } from './measure-rounds.ts';
import type { Measured } from './sweep-curve.ts';
import { SweepFarm } from './sweep-farm.ts';
import { modelNameOf, workerOf, workloadOf, type SweepTarget } from './sweep-target.ts';
import { warmUp } from './warm-up.ts';

export const LAYER_SERIES = 'one bulk call';

const QUICK_LAYERS = 2;
const OTHER_LAYERS = 6;
const MIN_TEXTS = 32;

/**
 * Throughput against the layer that is pooled: -1 is the last, and blocks behind the pooled one are not computed. Each
 * layer is a model name of its own, so that all are there at once and can be measured in turn. `x` is 1 for -1.
 */
export function byLayer(target: SweepTarget, control: RunControl): Promise<Measured> {
  const { sizes } = target;
  const layers = Array.from({ length: layersOf(target) }, (_, index) => index + 1);
  const nameOf = (layer: number): string => modelNameOf(target, `-layer${layer}`);
  const workers = layers.map((layer) => workerOf(target, { name: nameOf(layer), poolingLayers: [-layer] }));
  const title = `by-layer, ${target.shape}`;
  control.say(
    `${title}: opening a worker for each of ${layers.length} layers; the first run converts weights for each of them`,
  );
  return SweepFarm.with({ redis: target.redis, workers }, control.signal, async (farm) => {
    const sized: { layer: number; callTexts: number }[] = [];
    for (const layer of layers) {
      const rate = await warmUp(farm, nameOf(layer), workloadOf(target, sizes.bulkTexts / 4));
      sized.push({ layer, callTexts: Math.max(MIN_TEXTS, Math.round(rate * sizes.seconds)) });
    }
    const points = sized.map(({ layer, callTexts }) => ({
      series: LAYER_SERIES,
      x: layer,
      measure: () => {
        const workload = workloadOf(target, callTexts);
        return farm.calls({ model: nameOf(layer), clients: 1, callTexts, calls: 1, workload });
      },
    }));
    return {
      points: await measureRounds(title, points, sizes.rounds, control),
      notes: ['1 stands for pooling layer -1, the last. Blocks behind the pooled one are not computed.'],
    };
  });
}

function layersOf({ shape, quick }: SweepTarget): number {
  if (quick) return QUICK_LAYERS;
  if (shape === 'base') return BERT_SHAPES['bert-base'].layers;
  return shape === 'tiny' || shape === 'minilm' ? BERT_SHAPES[shape].layers : OTHER_LAYERS;
}
