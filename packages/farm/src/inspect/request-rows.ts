import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { requestEtaMs } from '../request/request-eta.ts';
import { hasEnded, toRecord, type RequestRecord } from '../request/request-record.ts';
import { mayRetry } from '../request/retry-request.ts';
import { cutShort } from '../stats/failure-sample.ts';
import type { RequestRow } from './farm-figures.ts';

/** Longest label that a row shows of a request. */
const MAX_LABEL_LENGTH = 256;
/** Longest id of a client; what is longer was put there by hand. */
const MAX_ID_LENGTH = 80;

/** Submitted requests: those that are open, then the newest of the others. */
export async function readRequestRows(
  redis: FarmRedis,
  keys: RedisKeys,
  limit: number,
  nowMs: number,
): Promise<RequestRow[]> {
  const [open, newest] = await Promise.all([
    redis.zrevrange(keys.openRequests, 0, limit - 1),
    redis.zrevrange(keys.requests, 0, limit - 1),
  ]);
  const ids = [...new Set([...open, ...newest])].slice(0, limit);
  const lookup = redis.pipeline();
  for (const id of ids) lookup.hgetall(keys.request(id));
  const answers = (await lookup.exec()) ?? [];
  return ids.flatMap((id, index) => {
    // A record that is gone, or written over by hand, is none.
    const record = toRecord(id, (answers[index]?.[1] ?? {}) as Record<string, string>, nowMs);
    return record ? [toRow(record, nowMs)] : [];
  });
}

function toRow(record: RequestRecord, nowMs: number): RequestRow {
  const { requestId, label, model, lane, clientId, state, texts, textsDone, textsFailed } = record;
  return {
    requestId,
    label: label && cutShort(label, MAX_LABEL_LENGTH),
    model,
    lane,
    clientId: clientId.slice(0, MAX_ID_LENGTH),
    state,
    texts,
    textsDone,
    textsFailed,
    createdAtMs: record.createdAtMs,
    endedAtMs: record.endedAtMs,
    etaMs: requestEtaMs(record),
    canCancel: !hasEnded(record) && state !== 'cancelled',
    canRetry: mayRetry(record, nowMs),
  };
}
