import { FarmError } from '@embedfarm/contract';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import type { BatchHand } from './batch-hand.ts';

/** Notes how far the requests of a batch are. Of lines with several texts it is an estimate until the end. */
export async function lookAtRequests(hand: BatchHand, farm: EmbeddingFarm): Promise<void> {
  for (const [at, { requestId, hasEnded }] of hand.record.groups.entries()) {
    if (requestId === undefined || hasEnded) continue;
    try {
      const { done, failed, endedAtMs } = await farm.request(requestId).status();
      const isOver = endedAtMs !== undefined;
      hand.changeGroup(at, { textsDone: done, textsFailed: failed, hasEnded: isOver });
    } catch (thrown) {
      if (FarmError.from(thrown).code !== 'result_expired') throw thrown;
      // Forgotten, or deleted by somebody: its lines have failed.
      hand.changeGroup(at, { hasEnded: true });
    }
  }
  const { groups, refused, counts } = hand.record;
  let [completed, failed] = [0, refused.lines];
  for (const { lines, texts, textsDone, textsFailed, fault } of groups) {
    completed += Math.floor((lines * textsDone) / texts);
    failed += fault ? lines : Math.floor((lines * textsFailed) / texts);
  }
  hand.change({ counts: { total: counts.total, completed, failed } });
}
