import { LANES, MAX_CHUNK_TEXTS, type Lane, type RedisKeys } from '@embedfarm/contract';
import { textsOfName } from '../queue/encode-queue.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { countOf } from '../stats/parse-minute.ts';
import type { FarmWaiting, LaneWaiting } from './farm-figures.ts';
import type { MinuteReader, ReadMinute } from './minute-reader.ts';
import { waitingScript } from './waiting-lua.ts';

/** Jobs of a list that are looked at: all where there are no more. */
const MAX_LOOKS = 64;
/** Models whose queues are looked at, those heard of last. */
const MAX_MODELS = 64;
/** The pace is that of these seconds; of the minute, where nothing ended in them. */
const PACE_SECONDS = 10;
const MAX_PACE_SECONDS = 60;
/** The mean length of a text is that of the newest minutes which hold so many, of the last hour. */
const MEAN_TEXTS = 1_000;
const MEAN_MINUTES = 60;

/** What waits in one list of a queue. */
interface WaitingList {
  readonly jobs: number;
  readonly texts: number;
  /** When the oldest job that was found was enqueued. */
  readonly oldestAtMs: number | undefined;
}

/** Texts and tokens, or either by the second. */
interface Amount {
  readonly texts: number;
  readonly tokens: number;
}

/** What waits in the farm, by lane: one round trip beside that of the minutes. */
export async function readWaiting(
  redis: FarmRedis,
  keys: RedisKeys,
  reader: MinuteReader,
): Promise<FarmWaiting> {
  const [answer, { minutes }] = await Promise.all([
    waitingScript.run(
      redis,
      [keys.models, keys.prefix, keys.statsPrefix],
      [MAX_LOOKS, MAX_MODELS, MAX_PACE_SECONDS],
    ),
    reader.read(MEAN_MINUTES),
  ]);
  const [nowMs, pace, lists] = answer as [number, string[], (number | string)[][]];
  const found = lists.map((list) => toList(list, nowMs));
  const perSecond = paceOf(pace);
  const interactive = ofLane('interactive', found, nowMs, minutes);
  const bulk = ofLane('bulk', found, nowMs, minutes);
  return {
    interactive: { ...interactive, clearSeconds: clearSeconds(interactive, interactive, perSecond) },
    // Interactive texts go first.
    bulk: { ...bulk, clearSeconds: clearSeconds(bulk, sum(interactive, bulk), perSecond) },
  };
}

/** Names and times of jobs that were found, behind how many there are. */
function toList([count, ...found]: readonly (number | string)[], nowMs: number): WaitingList {
  const jobs = Number(count);
  const names = found.filter((_, at) => at % 2 === 0);
  const told = names.flatMap((name) => textsOfName(String(name)) ?? []);
  const texts = told.map((count) => Math.min(Math.max(1, count), MAX_CHUNK_TEXTS));
  const counted = texts.reduce((total, count) => total + count, 0);
  const times = found.flatMap((time, at) => (at % 2 === 1 ? countOf(time) : []));
  // One that is enqueued just now, by a clock a little ahead, or before Redis' clock was set back, has no age yet.
  const past = times.filter((time) => time > 0).map((time) => Math.min(time, nowMs));
  return {
    jobs,
    // A job that does not say is one text where all were looked at, and as the others where some were.
    texts: jobs <= MAX_LOOKS ? counted + (jobs - texts.length) : estimate(jobs, texts),
    oldestAtMs: past.length > 0 ? Math.min(...past) : undefined,
  };
}

/** The ends stand for themselves, as the last chunk of a request is a short one; those between them for all others. */
function estimate(jobs: number, texts: readonly number[]): number {
  const between = texts.slice(1, -1);
  const mean = between.reduce((sum, count) => sum + count, 0) / Math.max(between.length, 1);
  return (texts[0] ?? 1) + (texts.at(-1) ?? 1) + Math.round((jobs - 2) * Math.max(mean, 1));
}

/** Of all models; the lists come by model, lane, and kind of list. */
function ofLane(
  lane: Lane,
  lists: readonly WaitingList[],
  nowMs: number,
  minutes: readonly ReadMinute[],
): Omit<LaneWaiting, 'clearSeconds'> {
  const own = lists.filter((_, index) => LANES[Math.floor(index / 2) % 2] === lane);
  const texts = own.reduce((total, list) => total + list.texts, 0);
  const oldest = own.flatMap(({ oldestAtMs }) => oldestAtMs ?? []);
  return {
    jobs: own.reduce((total, { jobs }) => total + jobs, 0),
    texts,
    tokens: Math.round(texts * (meanTokens(minutes, [lane]) ?? meanTokens(minutes, LANES) ?? 0)),
    oldestMs: oldest.length > 0 ? nowMs - Math.min(...oldest) : undefined,
  };
}

/** Tokens of a text, in the newest minutes that hold enough of them; undefined where none was encoded. */
function meanTokens(minutes: readonly ReadMinute[], lanes: readonly Lane[]): number | undefined {
  let [texts, tokens] = [0, 0];
  for (const { stats } of minutes.toReversed()) {
    if (texts >= MEAN_TEXTS) break;
    for (const lane of lanes) {
      texts += stats.lanes[lane].texts;
      tokens += stats.lanes[lane].tokens;
    }
  }
  return texts > 0 ? tokens / texts : undefined;
}

/** Texts and tokens of each past second, in turn, the last one first. */
function paceOf(seconds: readonly string[]): Amount {
  const over = (count: number): Amount => {
    const of = (kind: 0 | 1): number =>
      seconds
        .slice(0, 2 * count)
        .reduce((total, value, at) => total + (at % 2 === kind ? countOf(value) : 0), 0);
    return { texts: of(0) / count, tokens: of(1) / count };
  };
  const recent = over(PACE_SECONDS);
  return recent.texts > 0 ? recent : over(MAX_PACE_SECONDS);
}

/** Until what is `ahead` is done, by tokens where they are known. */
function clearSeconds({ jobs }: { jobs: number }, ahead: Amount, perSecond: Amount): number | undefined {
  if (jobs === 0) return 0;
  if (ahead.tokens > 0 && perSecond.tokens > 0) return ahead.tokens / perSecond.tokens;
  return perSecond.texts > 0 ? ahead.texts / perSecond.texts : undefined;
}

function sum(one: Amount, other: Amount): Amount {
  return { texts: one.texts + other.texts, tokens: one.tokens + other.tokens };
}
