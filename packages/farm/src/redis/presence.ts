import type { RedisKeys } from '@embedfarm/contract';
import { ADD_TO_MINUTE_LUA } from '../stats/add-to-minute-lua.ts';
import type { ClientReport } from '../stats/client-report.ts';
import { MINUTE_TTL_S } from '../stats/minute-fields.ts';
import { MinuteSums } from '../stats/minute-sums.ts';
import { dropClientLease } from './admission.ts';
import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';
import type { ReadReplies } from './reply-trimmer.ts';

/** A client counts as alive this long after its last heartbeat. */
export const CLIENT_TTL_MS = 15_000;
/** A reply stream outlives its client's last heartbeat by this, so that a long pause loses nothing. */
const REPLY_TTL_MS = 15 * 60_000;
/** Dead clients that one heartbeat takes away: the next one takes more. */
const MAX_BURIED = 1_000;

/** What a client tells with its heartbeat. */
export interface ClientTidings {
  readonly report: ClientReport;
  /** What it has read and found since it told last. */
  readonly sums: MinuteSums;
  /** What it has read since; lost with a heartbeat that fails, it goes with its time to live. */
  readonly read?: ReadReplies | undefined;
}

/**
 * Renews a client and makes its reply stream where it is missing: workers never make one
 * (XADD NOMKSTREAM), so a client that is gone leaves none behind. Dead clients go, with what they said of themselves.
 * Without memory too: a client that is not heard of then would lose its lease and its replies.
 * KEYS clients, reply, client reports, stats minute prefix, then results that were read; ARGV client id, client TTL,
 * reply TTL, most dead ones, report or nothing, the id before which replies were read or nothing, minute TTL, then the
 * list of addToMinute. Returns the stream's last id.
 */
const heartbeatScript = new RedisScript(`#!lua flags=allow-oom
${ADD_TO_MINUTE_LUA}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local dead = now - tonumber(ARGV[2])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', dead, 'LIMIT', 0, ARGV[4])) do
  redis.call('ZREM', KEYS[1], id)
  redis.pcall('HDEL', KEYS[3], id)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
-- What was put in its place by hand would keep the client from hearing anything.
if redis.call('TYPE', KEYS[2]).ok ~= 'stream' then
  redis.call('UNLINK', KEYS[2])
  local id = redis.call('XADD', KEYS[2], '*', 'open', ARGV[1])
  redis.call('XDEL', KEYS[2], id)
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
if ARGV[6] ~= '' then redis.call('XTRIM', KEYS[2], 'MINID', ARGV[6]) end
for i = 5, #KEYS do redis.call('UNLINK', KEYS[i]) end
if ARGV[5] ~= '' then
  redis.pcall('HSET', KEYS[3], ARGV[1], ARGV[5])
  redis.pcall('PEXPIRE', KEYS[3], ARGV[3])
end
addToMinute(KEYS[4], ARGV[7], 8)
local info = redis.call('XINFO', 'STREAM', KEYS[2])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then return info[i + 1] end
end`);

/** Says that a client lives, and what it has to tell. @returns the last id of its reply stream. */
export async function announceClient(
  redis: FarmRedis,
  keys: RedisKeys,
  clientId: string,
  tidings?: ClientTidings,
): Promise<string> {
  const lastId = await heartbeatScript.run(
    redis,
    [
      keys.clients,
      keys.reply(clientId),
      keys.clientReports,
      keys.statsMinutePrefix,
      ...(tidings?.read?.resultKeys ?? []),
    ],
    [
      clientId,
      CLIENT_TTL_MS,
      REPLY_TTL_MS,
      MAX_BURIED,
      tidings ? JSON.stringify(tidings.report) : '',
      tidings?.read?.beforeId ?? '',
      MINUTE_TTL_S,
      ...listOf(tidings?.sums),
    ],
  );
  return String(lastId);
}

/** KEYS clients, reply, client reports, stats minute prefix; ARGV client id, minute TTL, then the list of addToMinute. */
const leaveScript = new RedisScript(`
${ADD_TO_MINUTE_LUA}
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('UNLINK', KEYS[2])
redis.pcall('HDEL', KEYS[3], ARGV[1])
addToMinute(KEYS[4], ARGV[2], 3)
return 1`);

/** Takes a client's leave: it no longer counts, its reply stream goes, and what it held of the farm's room. */
export async function removeClient(
  redis: FarmRedis,
  keys: RedisKeys,
  clientId: string,
  sums?: MinuteSums,
): Promise<void> {
  await Promise.all([
    leaveScript.run(
      redis,
      [keys.clients, keys.reply(clientId), keys.clientReports, keys.statsMinutePrefix],
      [clientId, MINUTE_TTL_S, ...listOf(sums)],
    ),
    dropClientLease(redis, keys, clientId),
  ]);
}

function listOf(sums = new MinuteSums()): (string | number)[] {
  const list = sums.toArguments();
  return [list.length, ...list];
}
