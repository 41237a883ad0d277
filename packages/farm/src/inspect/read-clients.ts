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
  const [topNow, topBefore, heard] = await calmAnswers(
    redis
      .pipeline()
      .zrevrange(keys.statsClients(minute), 0, rows - 1, 'WITHSCORES')
      .zrevrange(keys.statsClients(minute - 1), 0, rows - 1, 'WITHSCORES')
      .zrevrangebyscore(keys.clients, '+inf', aliveMs, 'LIMIT', 0, rows),
  );
  const [textsNow, textsBefore] = [scoresOf(topNow), scoresOf(topBefore)];
  const ids = [...new Set([...textsNow.keys(), ...textsBefore.keys(), ...idsOf(heard)])];
  if (ids.length === 0) return [];
  const [seen, reports] = await calmAnswers(
    redis
      .pipeline()
      .zmscore(keys.clients, ...ids)
      .hmget(keys.clientReports, ...ids),
  );
  const [before, now] = [minuteTexts(textsBefore, minutes[0]), minuteTexts(textsNow, minutes[1])];
  return ids
    .flatMap((clientId, index): ClientRow[] => {
      const seenAtMs = Number((seen as (string | null)[] | undefined)?.[index] ?? Number.NaN);
      if (!(seenAtMs >= aliveMs)) return [];
      const report = parseClientReport((reports as (string | null)[] | undefined)?.[index]);
      const lastSeenMs = Math.max(0, nowMs - seenAtMs);
      return [{ clientId, ...report, ...rateOf(clientId, nowMs, now, before), lastSeenMs }];
    })
    .toSorted((a, b) => b.textsPerSecond - a.textsPerSecond || b.inFlightTexts - a.inFlightTexts)
    .slice(0, rows);
}

/** What clients did in a minute, as far as their ids are known, and what all did. */
interface MinuteTexts {
  readonly ofClients: ReadonlyMap<string, number>;
  readonly all: number;
}

/** The minute was read first, so its clients may have done more meanwhile. */
function minuteTexts(ofClients: ReadonlyMap<string, number>, minute: ReadMinute | undefined): MinuteTexts {
  const { interactive, bulk } = minute?.stats.lanes ?? {};
  const known = [...ofClients.values()].reduce((sum, texts) => sum + texts, 0);
  return { ofClients, all: Math.max(known, (interactive?.texts ?? 0) + (bulk?.texts ?? 0)) };
}

/** Over the current minute where enough of it is over, or the client is new; else over the one before. */
function rateOf(
  clientId: string,
  nowMs: number,
  now: MinuteTexts,
  before: MinuteTexts,
): Pick<ClientRow, 'textsPerSecond' | 'share'> {
  const seconds = Math.max(1, (nowMs % MINUTE_MS) / 1_000);
  const isNow = seconds >= MIN_SPAN_SECONDS || !before.ofClients.has(clientId);
  const { ofClients, all } = isNow ? now : before;
  const texts = ofClients.get(clientId) ?? 0;
  return {
    textsPerSecond: texts / (isNow ? seconds : MINUTE_MS / 1_000),
    share: all > 0 ? texts / all : 0,
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
