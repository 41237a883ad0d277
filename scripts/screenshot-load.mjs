// What a farm does while its pictures are made: a small shop's work, the same each time.
import { EmbeddingFarm } from '@embedfarm/sdk';
import { seededRandom } from '@embedfarm/testkit/seeded-random';
import { setTimeout as delay } from 'node:timers/promises';

/** Apps that call `encode`, in the order in which they come. */
const APPS = [
  { name: 'shop search', texts: 1, pauseMs: 15 },
  { name: 'support chat', texts: 2, pauseMs: 40, cache: true },
  { name: 'recommendations', texts: 16, pauseMs: 60 },
  { name: 'spam filter', texts: 4, pauseMs: 30 },
  { name: 'news feed', texts: 8, pauseMs: 50, cache: true },
  { name: 'catalogue import', texts: 64, pauseMs: 120 },
  { name: 'photo captions', texts: 12, pauseMs: 60 },
  { name: 'audit', texts: 1, pauseMs: 400, truncate: 'error' },
];

/** Submitted requests: when, as a share of the whole time, and how much of the bulk work they are. */
const REQUESTS = [
  { label: 'reindex products', at: 0.04, share: 0.18 },
  { label: 'tickets of May', at: 0.22, share: 0.1 },
  { label: 'crawl, in part too long', at: 0.3, share: 0.03, longest: 900, truncate: 'error' },
  { label: 'a mistake', at: 0.4, share: 0.3, cancelled: true },
  { label: 'reviews, all languages', at: 0.55, share: 0.2 },
  { label: 'mail archive 2019–2024', at: 0.8, share: 0.9 },
];

const SEED = 20_240_501;
const WORDS = (
  'the river runs under an old stone bridge and people of the town cross it every day to work market ' +
  'school or home while boats carry wood wine salt paper cloth and letters down to the sea'
).split(' ');

/**
 * Works for so long, then goes on until `signal` ends it. More and more apps come, so that each number of clients has
 * its seconds.
 *
 * @param bulkTexts what the farm encodes in that time, about.
 */
export async function runLoad({ redis, seconds, bulkTexts, signal }) {
  const start = performance.now();
  const until = (share) =>
    delay(Math.max(0, start + share * seconds * 1_000 - performance.now()), undefined, { signal });
  const apps = APPS.map(async (app, index) => {
    await until((0.75 * index) / APPS.length);
    await runApp(redis, app, seededRandom(SEED + index), signal);
  });
  await Promise.all([...apps, runBulk(redis, bulkTexts, until, signal)]);
}

async function runApp(redis, { name, texts, pauseMs, cache = false, truncate }, random, signal) {
  const farm = await EmbeddingFarm.connect({ redis, name });
  try {
    while (!signal.aborted) {
      // Some people ask what others have asked.
      const from = cache ? seededRandom(Math.floor(random() ** 3 * 300)) : random;
      const some = Array.from({ length: texts }, () => textOf(from, truncate ? 700 : 300));
      await farm.encode(some, { cache, signal, ...(truncate && { truncate }) }).catch(ignoreFailedTexts);
      await delay(pauseMs * (0.5 + random()), undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await farm.close();
  }
}

async function runBulk(redis, bulkTexts, until, signal) {
  const farm = await EmbeddingFarm.connect({ redis, name: 'nightly jobs' });
  try {
    for (const [index, { label, at, share, cancelled, longest = 300, truncate }] of REQUESTS.entries()) {
      await until(at);
      const random = seededRandom(SEED + 100 + index);
      const texts = Array.from({ length: Math.ceil(share * bulkTexts) }, () => textOf(random, longest));
      const request = await farm.submit(texts, {
        label,
        lane: 'bulk',
        whenOverloaded: 'wait',
        signal,
        ...(truncate && { truncate }),
      });
      if (cancelled) await request.cancel();
    }
    await delay(3_600_000, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await farm.close();
  }
}

function ignoreFailedTexts(error) {
  if (error.code !== 'texts_failed') throw error;
}

/** Short ones mostly, now and then a long one. */
function textOf(random, longest) {
  const words = Math.ceil(3 + longest * random() ** 8 + 25 * random() ** 2);
  return Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
}
