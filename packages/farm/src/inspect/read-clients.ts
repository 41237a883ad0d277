import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { CLIENT_TTL_MS } from '../redis/presence.ts';
import { parseClientReport } from '../stats/client-report.ts';
import { calmAnswers } from '../redis/calm-answers.ts';
import type { ClientRow } from './farm-figures.ts';
import type { MinuteReader, ReadMinute } from './minute-reader.ts';

const MINUTE_MS = 60_000;
/** A current minute that is younger than this is no measure of a rate. */
const MIN_SPAN_SECONDS = 10;
/** Most rows that are told. */
const MAX_ROWS = 1_000;
/** Longest id of a client; what is longer was put there by hand. */
const MAX_ID_LENGTH = 80;

/**
 * Clients that are alive, the busiest first, whatever number there is: the top of the minute's, then those last heard
 * of. Two round trips after that of the minutes.
 */
export async function readClients(
  redis: FarmRedis,
  keys: RedisKeys,
  reader: MinuteReader,
  limit: number,
): Promise<ClientRow[]> {
  const rows = Math.min(Math.max(0, Math.floor(limit) || 0), MAX_ROWS);
  if (rows === 0) return [];
  const { nowMs, minutes } = await reader.read(2);
  const minute = Math.floor(nowMs / MINUTE_MS);
  const aliveMs = nowMs - CLIENT_TTL_MS;
  const [now, before, heard] = await calmAnswers(
    redis
      .pipeline()
      .zrevrange(keys.statsClients(minute), 0, rows - 1, 'WITHSCORES')
      .zrevrange(keys.statsClients(minute - 1), 0, rows - 1, 'WITHSCORES')
      .zrevrangebyscore(keys.clients, '+inf', aliveMs, 'LIMIT', 0, rows),
  );
  const [textsNow, textsBefore] = [scoresOf(now), scoresOf(before)];
  const ids = [...new Set([...textsNow.keys(), ...textsBefore.keys(), ...idsOf(heard)])];
  if (ids.length === 0) return [];
  const [seen, reports] = await calmAnswers(
    redis
      .pipeline()
      .zmscore(keys.clients, ...ids)
      .hmget(keys.clientReports, ...ids),
  );
  const rate = rateOf(nowMs, minutes);
  return ids
    .flatMap((clientId, index): ClientRow[] => {
      const seenAtMs = Number((seen as (string | null)[] | undefined)?.[index] ?? Number.NaN);
      if (!(seenAtMs >= aliveMs)) return [];
      const report = parseClientReport((reports as (string | null)[] | undefined)?.[index]);
      const { textsPerSecond, share } = rate(textsNow.get(clientId), textsBefore.get(clientId));
      const lastSeenMs = Math.max(0, nowMs - seenAtMs);
      return [{ clientId, ...report, textsPerSecond, share, lastSeenMs }];
    })
    .toSorted((a, b) => b.textsPerSecond - a.textsPerSecond || b.inFlightTexts - a.inFlightTexts)
    .slice(0, rows);
}

/** Over the current minute where enough of it is over, or the client is new; else over the one before. */
function rateOf(nowMs: number, minutes: readonly ReadMinute[]) {
  const seconds = Math.max(1, (nowMs % MINUTE_MS) / 1_000);
  const [allBefore = 0, allNow = 0] = minutes.map(
    ({ stats: { lanes } }) => lanes.interactive.texts + lanes.bulk.texts,
  );
  return (now = 0, before = 0): Pick<ClientRow, 'textsPerSecond' | 'share'> => {
    const isNow = seconds >= MIN_SPAN_SECONDS || before === 0;
    const [texts, all] = isNow ? [now, allNow] : [before, allBefore];
    return {
      textsPerSecond: texts / (isNow ? seconds : MINUTE_MS / 1_000),
      // What a worker that was killed has not told is in neither, or only in one of them.
      share: all > 0 ? Math.min(1, texts / all) : 0,
    };
  };
}

/** Ids with their texts, from a list of both in turn. */
function scoresOf(answer: unknown): Map<string, number> {
  const list = Array.isArray(answer) ? (answer as string[]) : [];
  const scores = new Map<string, number>();
  for (let at = 0; at + 1 < list.length; at += 2) {
    const [id = '', score] = [list[at], Number(list[at + 1])];
    if (isId(id) && Number.isSafeInteger(score) && score > 0) scores.set(id, score);
  }
  return scores;
}

function idsOf(answer: unknown): string[] {
  return Array.isArray(answer) ? (answer as string[]).filter(isId) : [];
}

function isId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_ID_LENGTH;
}
