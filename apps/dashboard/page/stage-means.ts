import type { Lane } from '@embedfarm/contract';
import type { MinuteStats } from './board-memory.ts';
import { sum } from './figures.ts';

export const STAGES = ['queue', 'tokenize', 'batch-wait', 'device', 'store', 'reply'] as const;
export type Stage = (typeof STAGES)[number];

/** Mean ms of a chunk by stage; undefined where no chunk ended. */
export function stageMeans(
  minutes: readonly MinuteStats[],
  lane: Lane,
): Readonly<Record<Stage, number>> | undefined {
  const lanes = minutes.map(({ lanes: of }) => of[lane]);
  const chunks = sum(lanes.map((minute) => minute.chunks));
  const replies = sum(lanes.map((minute) => minute.replies));
  if (chunks === 0) return undefined;
  const mean = (stage: keyof MinuteStats['lanes'][Lane]['stages']): number =>
    sum(lanes.map(({ stages }) => stages[stage])) / chunks;
  return {
    queue: mean('queueMs'),
    tokenize: mean('tokenizeMs'),
    'batch-wait': mean('batchWaitMs'),
    device: mean('deviceMs'),
    store: mean('storeMs'),
    // Only who waits reads a reply; a submitted request has none.
    reply: replies === 0 ? 0 : sum(lanes.map(({ replyMs }) => replyMs)) / replies,
  };
}
