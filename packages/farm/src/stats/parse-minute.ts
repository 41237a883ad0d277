import { FARM_ERROR_CODES, nameSchema, type FarmErrorCode, type Lane } from '@embedfarm/contract';
import { FILL_PERCENT, LATENCY_MS, LENGTH_TOKENS, toHistogram, type Buckets } from './buckets.ts';
import { MINUTE_FIELDS } from './minute-fields.ts';
import type { Histogram, LaneMinute, MinuteStats } from './minute-stats.ts';

/** The fields of a minute's hash; undefined where there is none. */
export type MinuteHash = Readonly<Record<string, string>> | undefined;

/** Failed texts of one reason and model in one minute. */
export interface FailedTexts {
  readonly code: FarmErrorCode;
  readonly model: string;
  readonly texts: number;
}

/** A minute as it was told. A field that was put there by hand and is no count is left out. */
export function parseMinute(minute: number, hash: MinuteHash): MinuteStats {
  const count = (field: string): number => countOf(hash?.[field]);
  const histogram = (fields: readonly string[], buckets: Buckets): Histogram =>
    toHistogram(buckets, new Map(fields.map((field, index) => [index, count(field)])));
  const ofLane = (lane: Lane): LaneMinute => {
    const fields = MINUTE_FIELDS.lanes[lane];
    return {
      texts: count(fields.texts),
      tokens: count(fields.tokens),
      failed: count(fields.failed),
      chunks: count(fields.chunks),
      stages: {
        queueMs: count(fields.queueUs) / 1_000,
        tokenizeMs: count(fields.tokenizeUs) / 1_000,
        batchWaitMs: count(fields.batchWaitUs) / 1_000,
        deviceMs: count(fields.deviceUs) / 1_000,
        storeMs: count(fields.storeUs) / 1_000,
      },
      latencyMs: histogram(fields.latency, LATENCY_MS),
      replyMs: count(fields.replyUs) / 1_000,
      replies: count(fields.replies),
    };
  };
  const failures: Partial<Record<FarmErrorCode, number>> = {};
  for (const { code, texts } of parseFailedTexts(hash)) failures[code] = (failures[code] ?? 0) + texts;
  return {
    minute,
    lanes: { interactive: ofLane('interactive'), bulk: ofLane('bulk') },
    failures,
    batches: {
      count: count(MINUTE_FIELDS.batches),
      tokens: count(MINUTE_FIELDS.batchTokens),
      slotTokens: count(MINUTE_FIELDS.slotTokens),
      budgetTokens: count(MINUTE_FIELDS.budgetTokens),
      fillPercent: histogram(MINUTE_FIELDS.fill, FILL_PERCENT),
    },
    lengths: {
      tokens: histogram(MINUTE_FIELDS.lengths, LENGTH_TOKENS),
      truncated: count(MINUTE_FIELDS.truncated),
    },
    cache: { lookups: count(MINUTE_FIELDS.cacheLookups), hits: count(MINUTE_FIELDS.cacheHits) },
    clients: count(MINUTE_FIELDS.clients),
  };
}

/** What failed, by reason and model. */
export function parseFailedTexts(hash: MinuteHash): FailedTexts[] {
  return Object.entries(hash ?? {}).flatMap(([field, value]) => {
    const [, code = '', model = ''] = /^failed:([a-z_]+):(.+)$/.exec(field) ?? [];
    const texts = countOf(value);
    return texts > 0 && isErrorCode(code) && nameSchema.safeParse(model).success
      ? [{ code, model, texts }]
      : [];
  });
}

/** A whole number from 0 that JavaScript can hold, else 0. */
export function countOf(value: unknown): number {
  return isCount(value) ? Number(value) : 0;
}

/** Whether it was written as a whole number from 0 that JavaScript can hold. */
export function isCount(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,15}$/.test(value);
}

function isErrorCode(code: string): code is FarmErrorCode {
  return Object.hasOwn(FARM_ERROR_CODES, code);
}
