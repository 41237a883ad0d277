// What a farm does while its pictures are made: a small shop's work, the same each time.
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { seededRandom } from '@embedfarm/testkit/seeded-random';

/** Apps that call `encode`, in the order in which they come. */
const APPS = [
  { name: 'shop search', texts: 1, pauseMs: 15 },
  { name: 'support chat', texts: 2, pauseMs: 40, cache: true },
  { name: 'recommendations', texts: 16, pauseMs: 60 },
  { name: 'spam filter', texts: 4, pauseMs: 30 },
  { name: 'news feed', texts: 8, pauseMs: 50, cache: true },
  { name: 'catalogue import', texts: 64, pauseMs: 120 },
  { name: 'photo captions', texts: 12, pauseMs: 60 },
  { name: 'audit', texts: 1, pauseMs: 400, longest: 900, truncate: 'error' },
];

/** Submitted requests: when, as a share of the whole time, and how much of the bulk work they are. */
const REQUESTS = [
  { label: 'reindex products', at: 0.04, share: 0.18 },
  { label: 'tickets of May', at: 0.22, share: 0.1 },
  { label: 'crawl, in part too long', at: 0.3, share: 0.03, longest: 900, truncate: 'error' },
  { label: 'a mistake', at: 0.4, share: 0.3, isCancelled: true },
  { label: 'reviews, all languages', at: 0.5, share: 0.2, longest: 700 },
  { label: 'mail archive 2019–2024', at: 0.8, share: 0.6 },
];

const SEED = 20_240_501;
const LONGEST = 300;
const WORDS = (
  'the river runs under an old stone bridge and people of the town cross it every day to work market school ' +
  'or home while boats carry wood wine salt paper cloth and letters down to the sea'
).split(' ');

/**
 * Works until `signal` ends it. More and more apps come, so that each number of clients has its seconds; the last
 * request comes after four fifths of `seconds`.
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
  const all = [...apps, runBulk(redis, bulkTexts, until, signal)];
  await Promise.all(
    all.map((one) =>
      one.catch((error) => {
        if (!signal.aborted) throw error;
      }),
    ),
  );
}

async function runApp(
  redis,
  { name, texts, pauseMs, cache = false, longest = LONGEST, truncate },
  random,
  signal,
) {
  const farm = await EmbeddingFarm.connect({ redis, name });
  try {
    while (!signal.aborted) {
      // Some people ask what others have asked.
      const from = cache ? seededRandom(Math.floor(random() ** 3 * 300)) : random;
      const some = Array.from({ length: texts }, () => textOf(from, longest));
      await farm.encode(some, { cache, signal, ...(truncate && { truncate }) }).catch(ignoreFailedTexts);
      await delay(pauseMs * (0.5 + random()), undefined, { signal });
    }
  } finally {
    await farm.close();
  }
}

async function runBulk(redis, bulkTexts, until, signal) {
  const farm = await EmbeddingFarm.connect({ redis, name: 'nightly jobs' });
  try {
    for (const [index, { label, at, share, isCancelled, longest, truncate }] of REQUESTS.entries()) {
      await until(at);
      const texts = someTexts(Math.ceil(share * bulkTexts), SEED + 100 + index, longest);
      const request = await farm.submit(texts, {
        label,
        lane: 'bulk',
        signal,
        ...(truncate && { truncate }),
      });
      await request.filled;
      if (isCancelled) await request.cancel();
    }
    await delay(3_600_000, undefined, { signal });
  } finally {
    await farm.close();
  }
}

/** Made as they are taken: the apps in this process go on meanwhile. */
async function* someTexts(count, seed, longest = LONGEST) {
  const random = seededRandom(seed);
  for (let index = 0; index < count; index += 1) {
    if (index % 64 === 0) await delay(0);
    yield textOf(random, longest);
  }
}

/** What is meant to fail. */
function ignoreFailedTexts(error) {
  if (error.code !== 'texts_failed') throw error;
}

/** Short ones mostly, now and then a long one. */
function textOf(random, longest) {
  const words = Math.ceil(3 + longest * random() ** 8 + 25 * random() ** 2);
  return Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
}
