import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import {
  parseFailureSample,
  sampleField,
  SAMPLE_TTL_MS,
  type FailureSample,
} from '../stats/failure-sample.ts';
import { calmAnswers } from '../redis/calm-answers.ts';
import type { FailureGroup } from './farm-figures.ts';
import type { MinuteReader, ReadMinutes } from './minute-reader.ts';

const MINUTE_MS = 60_000;
/** The current minute and the 60 before it hold the last hour. */
const MINUTES = SAMPLE_TTL_MS / MINUTE_MS + 1;
/** Most groups told of: a farm has some reasons, and some models. */
const MAX_GROUPS = 200;

/** Texts that failed in the last hour by reason and model, the most first. */
export async function readFailures(
  redis: FarmRedis,
  keys: RedisKeys,
  reader: MinuteReader,
): Promise<FailureGroup[]> {
  const read = await reader.read(MINUTES);
  const groups = groupsOf(read).slice(0, MAX_GROUPS);
  if (groups.length === 0) return [];
  const [answers] = await calmAnswers(
    redis.pipeline().hmget(keys.failureSamples, ...groups.map(sampleField)),
  );
  const stored = Array.isArray(answers) ? answers : [];
  return groups.flatMap((group, index) => {
    const found = parseFailureSample(stored[index]);
    const sample = found && sampleField(found) === sampleField(group) ? found : undefined;
    const lastAtMs = Math.min(sample?.atMs ?? group.minuteEndMs, read.nowMs);
    if (lastAtMs < read.nowMs - SAMPLE_TTL_MS) return [];
    const { code, model, texts } = group;
    return [{ code, model, texts, lastAtMs, sample: shown(sample) }];
  });
}

type Group = Pick<FailureGroup, 'code' | 'model' | 'texts'> & { minuteEndMs: number };

function groupsOf({ minutes }: ReadMinutes): Group[] {
  const groups = new Map<string, Group>();
  for (const { stats, failed } of minutes) {
    for (const { code, model, texts } of failed) {
      const field = sampleField({ code, model });
      const before = groups.get(field)?.texts ?? 0;
      const minuteEndMs = (stats.minute + 1) * MINUTE_MS;
      groups.set(field, { code, model, texts: before + texts, minuteEndMs });
    }
  }
  return [...groups.values()].toSorted((a, b) => b.texts - a.texts);
}

function shown(sample: FailureSample | undefined): FailureGroup['sample'] {
  const { message = '', text = '', requestId = '' } = sample ?? {};
  return { message, text, requestId };
}
