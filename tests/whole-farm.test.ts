import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Engine } from '@embedfarm/engine/engine';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const EMBEDFARM = fileURLToPath(new URL('../apps/cli/bin/embedfarm.js', import.meta.url));
const TEXTS = 5_000;

describe('a whole farm: two worker processes, one Redis', () => {
  let redis: TestRedis;
  let farm: EmbeddingFarm;
  let workers: ChildProcess[];

  beforeAll(async () => {
    redis = await openTestRedis();
    workers = [startWorker(redis.url), startWorker(redis.url)];
    farm = await EmbeddingFarm.connect({ redis: redis.url });
    await eventually(async () => (await farm.status()).workers.length === 2, { timeoutMs: 30_000 });
  });
  afterAll(async () => {
    await farm.close();
    await Promise.all(workers.map(stop));
    await redis.close();
  });

  it('brings all vectors in order, bit for bit, when one worker is killed in the middle', async () => {
    const texts = Array.from({ length: TEXTS }, (_, index) => textOf(index));
    let killed = false;
    const vectors = await farm.encode(texts, {
      onProgress: ({ done }) => {
        if (killed || done >= TEXTS / 2) return;
        killed = workers[0]?.kill('SIGKILL') ?? false;
      },
    });
    expect(killed).toBe(true);

    const engine = await Engine.open({ devices: 'cpu:1' });
    const alone = await engine.encode(texts, {}, { lane: 'bulk' });
    await engine.close();
    expect(vectors.rows).toBe(TEXTS);
    for (let index = 0; index < TEXTS; index += 1) {
      const expected = alone.values.subarray(index * alone.dimensions, (index + 1) * alone.dimensions);
      expect(Buffer.compare(bytesOf(vectors.at(index)), bytesOf(expected)), `texts[${index}]`).toBe(0);
    }
  });

  it('goes on with the worker that is left', async () => {
    expect((await farm.encode(['still here'])).rows).toBe(1);
    await eventually(async () => (await farm.status()).workers.length === 1, { timeoutMs: 30_000 });
  });

  it('leaves the queue in order when the last worker is told to stop', async () => {
    const [, last] = workers;
    const call = farm.encode(Array.from({ length: 1_000 }, (_, index) => textOf(index)));
    last?.kill('SIGTERM');
    const [code] = (await once(last as ChildProcess, 'exit')) as [number | null];
    expect(code).toBe(0);
    workers.push(startWorker(redis.url));
    expect((await call).rows).toBe(1_000);
    expect((await farm.status()).backlog).toEqual({ interactive: 0, bulk: 0 });
  });

  it('leaves no key without a time to live', async () => {
    expect(await keysWithoutTtl(redis.url)).toEqual([]);
  });
});

function textOf(index: number): string {
  return `text number ${index} ${'and some more words '.repeat(index % 7)}`;
}

function startWorker(redis: string): ChildProcess {
  return spawn(process.execPath, [EMBEDFARM, 'worker', '--devices', 'cpu:1', '--redis', redis], {
    stdio: 'ignore',
  });
}

async function stop(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exit = once(worker, 'exit');
  worker.kill('SIGTERM');
  await exit;
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
