import type { BoardView, MinuteStats } from './board-memory.ts';
import { sum } from './figures.ts';
import {
  bucketsOf,
  countOf,
  FILL_EDGES_PERCENT,
  heldBuckets,
  LENGTH_EDGES_TOKENS,
  mergeHistograms,
  type Bucket,
} from './histogram.ts';
import type { HistogramStory, Mark } from './histogram-chart.ts';
import { percent, shortNumber } from './numerals.ts';
import { RANGES, type Range } from './time-buckets.ts';

/** Of many models only the shortest limits have a line of their own. */
const MAX_MARKS = 2;

/** How full batches were, and what of them was padding. */
export function fillStory({ minutes }: BoardView, range: Range): HistogramStory {
  const batches = recentOf(minutes, range).map((minute) => minute.batches);
  const tokens = sum(batches.map((batch) => batch.tokens));
  const slots = sum(batches.map(({ slotTokens }) => slotTokens));
  const budget = sum(batches.map(({ budgetTokens }) => budgetTokens));
  const fill = percent(budget > 0 ? tokens / budget : undefined);
  const padding = percent(slots > 0 ? Math.max(0, 1 - tokens / slots) : undefined);
  const count = sum(batches.map((batch) => batch.count));
  return {
    buckets: bucketsOf(mergeHistograms(batches.map(({ fillPercent }) => fillPercent)), FILL_EDGES_PERCENT),
    legend: [
      { name: 'device', key: 'area', label: 'batches', value: shortNumber(count) },
      { name: 'none', label: 'of the budget', value: fill },
      { name: 'none', label: 'padding', value: padding },
    ],
    empty: `No batch ran in ${RANGES[range].words}.`,
    summary: `Batches by how much of the token budget they used. ${fill} of it is used, ${padding} of what ran was padding.`,
    counted: 'Batches',
    edgeText: (edge) => `${edge} %`,
  };
}

/** How long texts were, with the line where the model cuts them. */
export function lengthsStory({ minutes, status }: BoardView, range: Range): HistogramStory {
  const lengths = recentOf(minutes, range).map((minute) => minute.lengths);
  const histogram = mergeHistograms(lengths.map(({ tokens }) => tokens));
  const texts = countOf(histogram);
  const truncated = sum(lengths.map((each) => each.truncated));
  const share = percent(texts > 0 ? truncated / texts : undefined);
  const limits = [...new Set(status?.models.map(({ maxSequenceLength }) => maxSequenceLength))]
    .toSorted((left, right) => left - right)
    .slice(0, MAX_MARKS);
  const marks = limits.map((at): Mark => ({ at, label: `cut at ${shortNumber(at)}` }));
  const limitWords = limits.length > 0 ? ` Texts are cut at ${limits.join(' or ')} tokens.` : '';
  return {
    buckets: upToLimit(bucketsOf(histogram, LENGTH_EDGES_TOKENS), limits.at(-1)),
    marks,
    legend: [
      { name: 'throughput', key: 'area', label: 'texts', value: shortNumber(texts) },
      { name: 'none', label: 'truncated', value: share },
    ],
    empty: `No text was encoded in ${RANGES[range].words}.`,
    summary: `Texts by their length in tokens. ${share} were truncated.${limitWords}`,
    counted: 'Texts',
    edgeText: shortNumber,
  };
}

/** From the shortest text to the longest, or to the model's limit where that is further. */
function upToLimit(buckets: readonly Bucket[], limit: number | undefined): readonly Bucket[] {
  const held = heldBuckets(buckets);
  const first = buckets.indexOf(held[0] as Bucket);
  if (first < 0) return [];
  const lastHeld = first + held.length - 1;
  const lastMarked = limit === undefined ? -1 : buckets.findIndex(({ upTo }) => limit <= upTo);
  return buckets.slice(first, Math.max(lastHeld, lastMarked) + 1);
}

export function recentOf(minutes: readonly MinuteStats[], range: Range): readonly MinuteStats[] {
  const newest = minutes.at(-1)?.minute ?? 0;
  return minutes.filter(({ minute }) => minute > newest - RANGES[range].seconds / 60);
}
