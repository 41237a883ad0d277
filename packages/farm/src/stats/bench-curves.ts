import {
  benchCurveSchema,
  FarmError,
  parseOptions,
  type BenchCurve,
  type RedisKeys,
} from '@embedfarm/contract';
import { calmAnswers } from '../redis/calm-answers.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';

/** Most curves read; a farm has a few of each kind. */
const MAX_CURVES = 200;
/** A hash with more fields is none of ours, and is not read. */
const MAX_STORED = 2_000;
const MAX_CURVE_LENGTH = 50_000;

/**
 * Keeps curves, each in the place of the one that was measured before under the same terms.
 *
 * @throws FarmError `invalid_argument` naming what is broken.
 */
export async function storeBenchCurves(
  redis: FarmRedis,
  keys: RedisKeys,
  curves: readonly BenchCurve[],
): Promise<void> {
  const fields = curves.map((curve) => {
    const parsed = parseOptions('a curve', benchCurveSchema, curve);
    const terms = [parsed.curve, parsed.shape, parsed.workload, parsed.workers, parsed.devices].join(' ');
    return [terms, JSON.stringify(parsed)] as const;
  });
  if (fields.length > 0) await redis.hset(keys.benchCurves, new Map(fields));
}

/** The stored curves; what was put there by hand and is none is left out. */
export async function readBenchCurves(redis: FarmRedis, keys: RedisKeys): Promise<BenchCurve[]> {
  const [count] = await calmAnswers(redis.pipeline().hlen(keys.benchCurves));
  if (Number(count ?? 0) > MAX_STORED) {
    throw new FarmError('internal', `${keys.benchCurves} has ${String(count)} fields, ${MAX_STORED} at most`);
  }
  const [hash] = await calmAnswers(redis.pipeline().hgetall(keys.benchCurves));
  const stored = Object.values((hash ?? {}) as Record<string, string>).slice(0, MAX_CURVES);
  return stored.flatMap((text) => {
    if (text.length > MAX_CURVE_LENGTH) return [];
    try {
      const parsed = benchCurveSchema.safeParse(JSON.parse(text));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}
