import { FarmError } from '@embedfarm/contract';
import type { EmbeddingFarm, EncodedChunk } from '@embedfarm/sdk';
import { checkVector, shortTexts } from './short-texts.ts';

/**
 * How texts go to the farm and come back:
 * - `phases`: all are submitted, then all are encoded, then all are read, so that Redis holds all of it at once;
 * - `together`: they are read, and deleted, while they are submitted and encoded;
 * - `stream`: `encodeStream`.
 */
export type Way = 'phases' | 'together' | 'stream';

export interface ReadBackSpec {
  readonly texts: number;
  readonly way: Way;
}

/** Seconds of each phase, one after the other; a way without phases has all of it in `read`. */
export interface ReadBack {
  readonly submit: number;
  /** From the last text in the farm to the end of the request. */
  readonly encode: number;
  readonly read: number;
  /** Most that this process grew by. */
  readonly rssGrowthBytes: number;
}

const SAMPLE_MS = 20;

/** @throws FarmError `internal` when a vector is missing or another text's. */
export async function readBack(farm: EmbeddingFarm, { texts, way }: ReadBackSpec): Promise<ReadBack> {
  const rss = (): number => process.memoryUsage.rss();
  const before = rss();
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, rss())), SAMPLE_MS);
  try {
    const seconds = await WAYS[way](farm, texts);
    return { ...seconds, rssGrowthBytes: Math.max(most, rss()) - before };
  } finally {
    clearInterval(sampling);
  }
}

type Seconds = Omit<ReadBack, 'rssGrowthBytes'>;

const WAYS: Record<Way, (farm: EmbeddingFarm, texts: number) => Promise<Seconds>> = {
  async phases(farm, texts) {
    const watch = stopwatch();
    const request = await farm.submit(shortTexts(texts), { lane: 'bulk' });
    await request.filled;
    const submit = watch();
    await request.wait();
    const encode = watch();
    await readChunks(request.chunks({ consume: true }), texts);
    return { submit, encode, read: watch() };
  },

  async together(farm, texts) {
    const watch = stopwatch();
    const request = await farm.submit(shortTexts(texts), { lane: 'bulk' });
    await readChunks(request.chunks({ consume: true }), texts);
    return { submit: 0, encode: 0, read: watch() };
  },

  async stream(farm, texts) {
    const watch = stopwatch();
    if (!hasStream(farm)) throw new FarmError('internal', 'this SDK has no encodeStream');
    let read = 0;
    for await (const { index, vector } of farm.encodeStream(shortTexts(texts), { lane: 'bulk' })) {
      checkVector(index, vector?.[0]);
      read += 1;
    }
    checkCount(read, texts);
    return { submit: 0, encode: 0, read: watch() };
  },
};

/** Ways that the SDK has. */
export function waysOf(prototype: object): Way[] {
  return hasStream(prototype) ? ['phases', 'together', 'stream'] : ['phases', 'together'];
}

interface Streaming {
  encodeStream(
    texts: Iterable<string>,
    options: { lane: 'bulk' },
  ): AsyncIterable<{ readonly index: number; readonly vector: ArrayLike<number> | undefined }>;
}

function hasStream(farm: object): farm is Streaming {
  return 'encodeStream' in farm;
}

async function readChunks(chunks: AsyncIterable<EncodedChunk>, texts: number): Promise<void> {
  let read = 0;
  for await (const { from, embeddings } of chunks) {
    checkVector(from, embeddings.at(0)[0]);
    read += embeddings.rows;
  }
  checkCount(read, texts);
}

function checkCount(read: number, texts: number): void {
  if (read !== texts) throw new FarmError('internal', `${read} of ${texts} texts came back`);
}

/** @returns seconds since it was asked last. */
function stopwatch(): () => number {
  let lastMs = performance.now();
  return () => {
    const seconds = (performance.now() - lastMs) / 1_000;
    lastMs += seconds * 1_000;
    return seconds;
  };
}
