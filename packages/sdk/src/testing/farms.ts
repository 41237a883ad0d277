import type { EncodeOptions, EncodeText, ModelRegistration } from '@embedfarm/contract';
import { MemoryEncoder, MemoryProducer, type MemoryOptions } from '@embedfarm/farm/memory';
import { FarmWorker } from '@embedfarm/farm/worker';
import { openTestRedis } from '@embedfarm/testkit/redis';
import { EmbeddingFarm } from '../embedding-farm.ts';
import { Embeddings } from '../embeddings.ts';

/** A farm that suites run against, whichever it is. */
export interface FarmUnderTest {
  /** One more connection; for a farm in memory it is a farm of its own. */
  connect(): Promise<EmbeddingFarm>;
  close(): Promise<void>;
}

/** What the model of both farms is. */
export const MODEL: MemoryOptions = {
  dimensions: 24,
  promptNames: ['query', 'passage'],
  defaultPromptName: 'passage',
};

const registration: ModelRegistration = new MemoryProducer(MODEL).registration;
const encoder = new MemoryEncoder(registration);

/** Both give the same bits: the worker of the one in Redis encodes as the one in memory does. */
export const FARMS: readonly [string, () => Promise<FarmUnderTest>][] = [
  ['in memory', openMemory],
  ['in Redis', openReal],
];

/** The vectors that both farms give. */
export async function expectedVectors(
  texts: readonly EncodeText[],
  options: Partial<EncodeOptions> = {},
): Promise<number[][]> {
  const block = await encoder.encode(texts, { dtype: 'float32', truncate: 'end', ...options });
  const { model } = registration;
  return Embeddings.from({ model, block, timing: { ...block.timing, totalMs: 0 } }).toArrays();
}

async function openMemory(): Promise<FarmUnderTest> {
  return { connect: async () => EmbeddingFarm.inMemory(MODEL), close: async () => undefined };
}

async function openReal(): Promise<FarmUnderTest> {
  const redis = await openTestRedis();
  const worker = await FarmWorker.open(registration, encoder, { redis: redis.url });
  return {
    connect: () => EmbeddingFarm.connect({ redis: redis.url }),
    close: async () => {
      await worker.close();
      await redis.close();
    },
  };
}
