import type { Histogram, LaneMinute, MinuteStats } from '@embedfarm/farm/figures';
import { noise, type SceneSizes } from './scene-sizes.ts';

/** A minute of which so many seconds have passed. */
export function syntheticMinute(minute: number, sizes: SceneSizes, seconds: number): MinuteStats {
  const texts = Math.round(sizes.textsPerSecond * seconds);
  const batches = Math.ceil(texts / 7);
  return {
    minute,
    lanes: {
      interactive: lane(minute, Math.ceil(texts * 0.1), 34, 3),
      bulk: lane(minute + 7, Math.floor(texts * 0.9), 4_100, 241),
    },
    failures:
      texts > 100
        ? { sequence_too_long: Math.floor(noise(minute) * 6), device_lost: minute % 11 === 0 ? 3 : 0 }
        : {},
    batches: {
      count: batches,
      tokens: texts * 38,
      slotTokens: texts * 41,
      budgetTokens: batches * 300,
      fillPercent: spread(batches, [2, 3, 4, 5, 6, 9, 14, 22, 35, 20], (index) => (index + 1) * 10),
    },
    lengths: {
      tokens: spread(texts, [0, 1, 3, 7, 12, 18, 21, 16, 10, 6, 4, 2], (index) =>
        Math.floor(2 ** (2 + index / 2)),
      ),
      truncated: Math.round(texts * 0.012),
    },
    cache: { lookups: Math.round(texts * 0.05), hits: Math.round(texts * 0.02) },
    clients: sizes.clients,
  };
}

function lane(seed: number, texts: number, latencyMs: number, textsOfChunk: number): LaneMinute {
  const chunks = Math.ceil(texts / textsOfChunk);
  const queue = latencyMs * (0.35 + 0.3 * noise(seed));
  const edge = Math.round(4 * Math.log2(latencyMs * (0.8 + 0.4 * noise(seed * 3))));
  return {
    texts,
    tokens: texts * 38,
    failed: 0,
    chunks,
    stages: {
      queueMs: chunks * queue,
      tokenizeMs: chunks * textsOfChunk * 0.09,
      batchWaitMs: chunks * latencyMs * 0.16,
      deviceMs: chunks * latencyMs * 0.34,
      storeMs: chunks * 1.1,
    },
    latencyMs: spread(
      chunks,
      [4, 16, 26, 20, 12, 8, 5, 4, 2, 2, 1],
      (index) => 2 ** ((edge - 3 + index) / 4),
    ),
    replyMs: chunks * 1.9,
    replies: chunks,
  };
}

function spread(total: number, weights: readonly number[], edge: (index: number) => number): Histogram {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const heaviest = weights.indexOf(Math.max(...weights));
  const counts = weights.map((weight) => Math.floor((total * weight) / all));
  const rest = total - counts.reduce((sum, count) => sum + count, 0);
  return counts
    .map((count, index) => ({ upTo: edge(index), count: count + (index === heaviest ? rest : 0) }))
    .filter(({ count }) => count > 0);
}
