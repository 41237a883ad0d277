import { median } from '../percentile.ts';
import { atLeast, atMost, type Reach } from '../reach.ts';
import { BASELINE, VIEWERS, WITH_BOARD, WITHOUT_BOARD } from './board-cost.ts';
import { BULK, ONE_TEXT, reachClients } from './by-clients.ts';
import { pointsOf, type MeasuredPoint, type PointLoad, type SweepCurve } from './sweep-curve.ts';

/** Less where a text costs the device less. */
const MIN_OF_BULK: Readonly<Record<string, number>> = { minilm: 0.8, base: 0.9 };
const MIN_STEP = 0.9;
const MAX_BOARD_PERCENT = 2;
const MAX_BASELINE_PERCENT = 3;

/** What is to be reached, as far as it was measured. */
export function sweepReach(curve: SweepCurve): Reach[] {
  if (curve.bench === 'by-clients') return clientsReach(curve);
  return curve.bench === 'board-cost' ? boardReach(curve) : [];
}

function clientsReach(curve: SweepCurve): Reach[] {
  const points = pointsOf(curve, ONE_TEXT);
  const clients = reachClients(points.map(({ x }) => x));
  const bulk = curve.points.find(({ series }) => series === BULK);
  const many = points.find(({ x }) => x === clients);
  const least = MIN_OF_BULK[curve.shape];
  const steps = points.slice(1).map((point, index) => ({
    from: points[index] as MeasuredPoint,
    to: point,
    ratio: ratioOf(point, points[index] as MeasuredPoint, textsPerSecond),
  }));
  const [worst] = steps.toSorted((a, b) => a.ratio - b.ratio);
  return [
    ...(bulk && many && least !== undefined
      ? [
          atLeast(
            `texts/s in all: ${clients} clients with one text a call ÷ one bulk call`,
            ratioOf(many, bulk, textsPerSecond),
            least,
          ),
        ]
      : []),
    ...(worst === undefined
      ? []
      : [
          atLeast(
            `texts/s in all, worst step from one number of clients to the next (${worst.from.x} → ${worst.to.x})`,
            worst.ratio,
            MIN_STEP,
          ),
        ]),
  ];
}

function boardReach({ points }: SweepCurve): Reach[] {
  const named = (name: string): MeasuredPoint | undefined => points.find(({ series }) => series === name);
  const [without, withBoard, baseline] = [WITHOUT_BOARD, WITH_BOARD, BASELINE].map(named);
  return [
    ...(without && withBoard
      ? [
          atMost(
            `% of the CPU seconds of the same texts: dashboard with ${VIEWERS} viewers, and what Redis takes more`,
            100 * boardShare(without, withBoard),
            MAX_BOARD_PERCENT,
          ),
        ]
      : []),
    ...(without && baseline
      ? [
          atMost(
            '% more CPU seconds of worker and Redis for the same texts than with the baseline worker',
            100 * (ratioOf(without, baseline, servingCpu) - 1),
            MAX_BASELINE_PERCENT,
          ),
        ]
      : []),
  ];
}

/** Of the CPU seconds a text without a dashboard, the median of the rounds. */
function boardShare(without: MeasuredPoint, withBoard: MeasuredPoint): number {
  return median(
    withBoard.rounds.map((load, round) => {
      const before = without.rounds[round];
      if (before === undefined) return Number.NaN;
      const more = partCpu(load, 'dashboard') + partCpu(load, 'redis') - partCpu(before, 'redis');
      return more / allCpu(before);
    }),
  );
}

/** Within each round, then the median. */
export function ratioOf(
  point: MeasuredPoint,
  other: MeasuredPoint,
  pick: (load: PointLoad) => number,
): number {
  const ratios = point.rounds.map((load, round) => {
    const against = other.rounds[round];
    return against === undefined ? Number.NaN : pick(load) / pick(against);
  });
  return median(ratios);
}

const textsPerSecond = (load: PointLoad): number => load.textsPerSecond;
const servingCpu = (load: PointLoad): number => partCpu(load, 'worker') + partCpu(load, 'redis');

function partCpu({ cpuSeconds, texts }: PointLoad, part: string): number {
  return (cpuSeconds[part] ?? 0) / texts;
}

function allCpu({ cpuSeconds, texts }: PointLoad): number {
  return Object.values(cpuSeconds).reduce((sum, seconds) => sum + seconds, 0) / texts;
}
