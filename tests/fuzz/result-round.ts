import { encodeJobId, redisKeys } from '@embedfarm/contract';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import type { Redis } from 'ioredis';
import { checkVectors } from './exact.ts';
import { MODEL } from './fuzz-worker.ts';
import type { RoundPorts } from './job-round.ts';
import { judge, type FuzzCase } from './judge.ts';
import { junkBlock, spoilKey } from './junk.ts';
import type { SeededRandom } from './seeded-random.ts';
import { spoilRecord } from './spoil-jobs.ts';
import { lookAt, manyTexts, VICTIM_TIMEOUT_MS } from './victim-calls.ts';

const keys = redisKeys();
/** Of a request whose record says that it has not ended; nothing of it is on its way. */
const TIMEOUT_MS = 1_500;
const WAYS = ['result', 'rows', 'chunks', 'finished', 'status', 'wait', 'cancel', 'discard', 'list'] as const;

/** Results and records of requests that have ended are written over, then read in every way. */
export async function resultRound(
  { farm, redis, tally }: RoundPorts,
  name: string,
  count: number,
  random: SeededRandom,
): Promise<void> {
  const requests = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const texts = manyTexts(`${name}-${index}`, random.pick([1, 3, 257]));
      const { id } = await farm.submit(texts, { model: MODEL, timeoutMs: 30_000, lane: 'interactive' });
      await farm.request(id).wait({ timeoutMs: 30_000 });
      return { id, texts };
    }),
  );
  await Promise.all(
    requests.map(async ({ id, texts }) => {
      const damage = await spoilResult(redis, id, random);
      await judge(reading(farm, id, texts, damage, random), tally);
    }),
  );
}

async function spoilResult(redis: Redis, id: string, random: SeededRandom): Promise<string> {
  if (random.chance(0.4)) return await spoilRecord(redis, id, random);
  const key = keys.result(encodeJobId(id, 0));
  if (random.chance(0.4)) return await spoilKey(redis, key, random);
  await redis.set(key, Buffer.from(junkBlock(random, random.pick([1, 3, 256]))), 'KEEPTTL');
  return `${key} another block`;
}

function reading(
  farm: EmbeddingFarm,
  id: string,
  texts: readonly string[],
  damage: string,
  random: SeededRandom,
): FuzzCase {
  const way = random.pick(WAYS);
  const handle = farm.request(id);
  const wait = { timeoutMs: TIMEOUT_MS };
  const reads: Readonly<Record<(typeof WAYS)[number], () => Promise<unknown>>> = {
    result: async () => {
      const embeddings = await handle.result({ ...wait, consume: random.chance(0.5) });
      // Bytes in a result's place may be as good as its own.
      if (damage.includes(keys.result(''))) lookAt(embeddings);
      else checkVectors(embeddings, texts);
    },
    rows: () => readAll(handle.rows({ ...wait, consume: random.chance(0.5) })),
    chunks: () => readAll(handle.chunks({ ...wait, from: random.below(300) })),
    finished: () => readAll(handle.rows({ ...wait, order: 'finished' })),
    status: () => handle.status(),
    wait: () => handle.wait(wait),
    cancel: () => handle.cancel(),
    discard: () => handle.discard(),
    list: () => farm.requests({ limit: 500 }),
  };
  return {
    kind: `results ${way}`,
    about: () => `${way} of request ${id}: ${damage}`,
    run: reads[way],
    limitMs: VICTIM_TIMEOUT_MS * 2,
  };
}

async function readAll(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}
