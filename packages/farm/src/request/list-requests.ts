import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { toRecord, type RequestRecord, type RequestState } from './request-record.ts';

/** Records read with one round trip. */
const PAGE_REQUESTS = 200;

export interface RequestFilter {
  readonly label?: string | undefined;
  readonly state?: RequestState | undefined;
  /** Most records given. */
  readonly limit?: number | undefined;
}

/** Submitted requests, the newest first. */
export async function listRequests(
  redis: FarmRedis,
  keys: RedisKeys,
  { label, state, limit = 100 }: RequestFilter,
  nowMs: number,
): Promise<RequestRecord[]> {
  const found: RequestRecord[] = [];
  for (let from = 0; found.length < limit; from += PAGE_REQUESTS) {
    const ids = await redis.zrevrange(keys.requests, from, from + PAGE_REQUESTS - 1);
    if (ids.length === 0) break;
    const lookup = redis.pipeline();
    for (const id of ids) lookup.hgetall(keys.request(id));
    const answers = (await lookup.exec()) ?? [];
    for (const [index, requestId] of ids.entries()) {
      const record = toRecord(requestId, answers[index]?.[1] as Record<string, string>, nowMs);
      if (!record || (label !== undefined && record.label !== label)) continue;
      if (state !== undefined && record.state !== state) continue;
      found.push(record);
    }
  }
  return found.slice(0, limit);
}
