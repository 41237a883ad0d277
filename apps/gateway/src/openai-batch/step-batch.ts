import { FarmError } from '@embedfarm/contract';
import type { KeptFile } from '@embedfarm/farm/files';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import type { BatchHand } from './batch-hand.ts';
import type { EndState } from './batch-record.ts';
import { checkBatch } from './check-batch.ts';
import { finalizeBatch } from './finalize-batch.ts';
import { recordTtlMs } from './batch-record.ts';
import { lookAtRequests } from './look-at-requests.ts';
import { submitGroup } from './submit-group.ts';

/** Between two looks at a batch that is in the farm: more for one that takes long. */
const FIRST_LOOK_MS = 500;
const LAST_LOOK_MS = 5_000;

/**
 * One step of a batch: from its input to what is in the farm, to what has ended, to its output. Each may be done again by
 * another gateway from where this one has left it.
 *
 * @returns when the next one is due, in ms; `ended` after the last.
 * @throws FarmError what kept it from its step.
 */
export async function stepBatch(hand: BatchHand): Promise<number | 'ended'> {
  const farm = await hand.ports.link.farm(hand.signal);
  const over = endOf(hand);
  const { state } = hand.record;
  if (state === 'finalizing') return await finalizeBatch(hand, farm);
  if (state === 'validating') return over ? endEarly(hand, over) : await validate(hand);
  if (state === 'in_progress') return over ? await takeBack(hand, farm, over) : await progress(hand, farm);
  return 'ended';
}

/** Ends a batch that cannot be run. */
export function failBatch(hand: BatchHand, code: string, message: string): 'ended' {
  hand.change({ faults: [{ code, message, line: null, param: null }] });
  return endEarly(hand, 'failed');
}

/** What ends it now, whatever it has come to. */
function endOf(hand: BatchHand): EndState | undefined {
  if (hand.batch.cancellingAtMs !== undefined) return 'cancelled';
  return hand.leftMs === 0 ? 'expired' : undefined;
}

function endEarly(hand: BatchHand, end: EndState): 'ended' {
  hand.change({ state: end, end, endedAtMs: hand.batch.nowMs });
  return 'ended';
}

async function validate(hand: BatchHand): Promise<number | 'ended'> {
  const { files, batches, link } = hand.ports;
  const { models } = await link.status();
  const checked = await checkBatch(await inputOf(hand), {
    files,
    batches,
    models,
    batchId: hand.batch.id,
    ttlMs: recordTtlMs(hand.record),
    signal: hand.stop,
  });
  if (checked.faults.length > 0) {
    hand.change({ faults: checked.faults });
    return endEarly(hand, 'failed');
  }
  hand.change({ ...checked, state: 'in_progress', inProgressAtMs: hand.batch.nowMs });
  return 0;
}

async function progress(hand: BatchHand, farm: EmbeddingFarm): Promise<number> {
  const at = hand.record.groups.findIndex(({ isFilled, fault }) => !isFilled && !fault);
  if (at !== -1) {
    await submitOrRefuse(hand, farm, at);
    return 0;
  }
  await lookAtRequests(hand, farm);
  if (hand.record.groups.every(({ hasEnded, fault }) => hasEnded || fault)) return finish(hand, 'completed');
  const { inProgressAtMs = 0 } = hand.record;
  return Math.min(LAST_LOOK_MS, FIRST_LOOK_MS + (hand.batch.nowMs - inProgressAtMs) / 20);
}

async function submitOrRefuse(hand: BatchHand, farm: EmbeddingFarm, at: number): Promise<void> {
  const file = await inputOf(hand);
  try {
    await submitGroup(hand, at, file, farm);
  } catch (thrown) {
    const fault = FarmError.from(thrown);
    const { code, detail } = fault;
    // The farm will not have it, now or later: as one call of it would have failed.
    const isFinal = code === 'invalid_argument' || code === 'model_not_found' || code === 'model_changed';
    if (!isFinal || hand.stop.aborted) throw fault;
    hand.changeGroup(at, { fault: { code, message: detail } });
  }
}

async function takeBack(hand: BatchHand, farm: EmbeddingFarm, end: EndState): Promise<number> {
  for (const { requestId, hasEnded } of hand.record.groups) {
    if (requestId === undefined || hasEnded) continue;
    await farm
      .request(requestId)
      .cancel()
      .catch((thrown: unknown) => {
        if (FarmError.from(thrown).code !== 'result_expired') throw thrown;
      });
  }
  return finish(hand, end);
}

function finish(hand: BatchHand, end: EndState): number {
  hand.change({ state: 'finalizing', end, finalizingAtMs: hand.batch.nowMs });
  return 0;
}

async function inputOf(hand: BatchHand): Promise<KeptFile> {
  const { inputFileId } = hand.record;
  const file = await hand.files.find(hand.owner, inputFileId);
  if (file) return file;
  throw new FarmError('result_expired', `the input file ${inputFileId} is gone`);
}
