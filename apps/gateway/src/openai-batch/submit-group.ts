import { setTimeout as rest } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import type { KeptFile } from '@embedfarm/farm/files';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { TOKENS_AS_THEY_ARE } from '../http/tokens-as-they-are.ts';
import type { BatchHand } from './batch-hand.ts';
import type { BatchGroup } from './batch-record.ts';
import { groupTexts } from './group-texts.ts';
import { readLineIndex } from './line-index.ts';
import { lookAtRequests } from './look-at-requests.ts';

/** While a request is filled, as fast as the farm takes it, what is done of it is told. */
const LOOK_MS = 2_000;
const MAX_RESULT_TTL_MS = 30 * 24 * 3_600_000;

/**
 * Hands the texts of a group to the farm. What another gateway had begun and did not come to an end with is taken back:
 * nobody knows how far it was.
 *
 * @throws FarmError `cancelled` where the batch is to stop; what may pass; `result_expired` where the input is gone.
 */
export async function submitGroup(
  hand: BatchHand,
  at: number,
  file: KeptFile,
  farm: EmbeddingFarm,
): Promise<void> {
  const group = groupOf(hand, at);
  await takeBackOthers(hand, farm);
  await hand.charge(group.texts);
  hand.change({ isSubmitting: true });
  await hand.save();
  const { model, dimensions, tokens, parts } = group;
  const { outputTtlMs, windowMs, groups } = hand.record;
  const entries = readLineIndex(hand.index, at, parts, hand.stop);
  const submitted = await farm.submit(groupTexts(hand.files.slices(file, hand.stop), entries), {
    model,
    dimensions,
    ...(tokens ? TOKENS_AS_THEY_ARE : {}),
    lane: 'bulk',
    ...(hand.owner === '' ? {} : { tenant: hand.owner }),
    label: hand.batch.id,
    // What ends first is kept until what ends last is read.
    resultTtlMs: Math.min(MAX_RESULT_TTL_MS, outputTtlMs + (groups.length > 1 ? windowMs : 0)),
    signal: hand.stop,
  });
  hand.changeGroup(at, { requestId: submitted.id });
  await hand.save();
  await whileTelling(hand, farm, submitted.filled);
  hand.changeGroup(at, { isFilled: true });
  hand.change({ isSubmitting: false });
}

/** Requests of this batch that nobody fills any more. */
async function takeBackOthers(hand: BatchHand, farm: EmbeddingFarm): Promise<void> {
  if (!hand.record.isSubmitting) return;
  const kept = new Set(
    hand.record.groups.filter(({ isFilled }) => isFilled).map(({ requestId }) => requestId),
  );
  for (const { id, endedAtMs } of await farm.requests({ label: hand.batch.id })) {
    if (kept.has(id)) continue;
    const handle = farm.request(id);
    if (endedAtMs === undefined) await handle.cancel();
    await handle.discard().catch(() => undefined);
  }
}

async function whileTelling(hand: BatchHand, farm: EmbeddingFarm, filled: Promise<void>): Promise<void> {
  const ends = new AbortController();
  const telling = (async () => {
    while (!ends.signal.aborted) {
      await rest(LOOK_MS, undefined, { signal: ends.signal }).catch(() => undefined);
      if (ends.signal.aborted) return;
      await lookAtRequests(hand, farm);
      await hand.save();
    }
    // What is not told now is told later.
  })().catch(() => undefined);
  try {
    await filled;
  } finally {
    ends.abort();
    await telling;
  }
}

function groupOf(hand: BatchHand, at: number): BatchGroup {
  const group = hand.record.groups[at];
  if (group) return group;
  throw new FarmError('internal', `batch ${hand.batch.id} has no group ${at}`);
}
