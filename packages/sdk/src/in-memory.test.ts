import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmbeddingFarm } from './embedding-farm.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

describe('a farm in memory', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('works while a test has stopped the clock', async () => {
    vi.useFakeTimers();
    await using farm = EmbeddingFarm.inMemory({ dimensions: 3 });
    expect((await farm.encode(['a'])).rows).toBe(1);
    const request = await farm.submit(new Set(['a', 'b']));
    expect((await request.result()).rows).toBe(2);
    for await (const { vector } of farm.encodeStream(['a'])) expect(vector).toHaveLength(3);
  });

  it('has results expire with the clock', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await using farm = EmbeddingFarm.inMemory({ dimensions: 3 });
    const request = await farm.submit(['a'], { resultTtlMs: 5_000 });
    await request.wait();
    vi.advanceTimersByTime(4_999);
    expect((await request.result()).rows).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await request.status()).toMatchObject({ state: 'expired' });
    await expect(request.result()).rejects.toMatchObject({ code: 'result_expired' });
    vi.advanceTimersByTime(48 * 3_600_000);
    await expect(request.status()).rejects.toMatchObject({ code: 'result_expired' });
    expect(await farm.requests()).toEqual([]);
  });

  it('is what its options say', async () => {
    await using farm = EmbeddingFarm.inMemory({
      dimensions: 3,
      model: 'mini',
      normalize: false,
      name: 'a test',
    });
    const vectors = await farm.encode(['a'], { model: 'mini' });
    expect(vectors.model).toBe('mini');
    expect(Math.hypot(...vectors.at(0))).not.toBeCloseTo(1, 3);
    await expect(farm.encode(['a'], { dtype: 'int8' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it.each([
    [{}, 'at dimensions'],
    [{ dimensions: 0 }, 'at dimensions'],
    [{ dimensions: 3, redis: 'redis://' }, 'Unrecognized key: "redis"'],
  ])('refuses %j', (options, message) => {
    expect(() => EmbeddingFarm.inMemory(options as { dimensions: number })).toThrow(message);
  });

  it('does not keep its process alive', async () => {
    const program = `
      import { EmbeddingFarm } from '@embedfarm/sdk';
      const farm = EmbeddingFarm.inMemory({ dimensions: 2 });
      const never = (async function* () { await new Promise(() => {}); })();
      await farm.submit(never);
      console.log((await farm.encode(['a'])).rows);
      farm.encodeStream(never).next();
    `;
    const running = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: HERE,
    });
    expect((await running).stdout).toBe('1\n');
  });
});
