import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MemoryEncoder, MemoryProducer } from '@embedfarm/farm/memory';
import { FarmWorker } from '@embedfarm/farm/worker';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddingFarm } from './embedding-farm.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** More of them with EMBEDFARM_STREAM_TEXTS, for a figure. */
const TEXTS = Number(process.env['EMBEDFARM_STREAM_TEXTS'] ?? 100_000);
const MAX_GROWTH_BYTES = 100 * 1024 * 1024;

const WORKER = `
  import { FarmWorker } from '@embedfarm/farm/worker';
  import { MemoryEncoder, MemoryProducer } from '@embedfarm/farm/memory';
  const { registration } = new MemoryProducer({ dimensions: 8 });
  await FarmWorker.open(registration, new MemoryEncoder(registration), { redis: process.env.REDIS_URL });
  console.log('ready');
`;

/** Streams, and tells its largest resident size before and after. */
const CLIENT = `
  import { EmbeddingFarm } from '@embedfarm/sdk';
  const farm = await EmbeddingFarm.connect({ redis: process.env.REDIS_URL });
  await farm.encode(['warm']);
  const before = process.memoryUsage.rss();
  let peak = before;
  let rows = 0;
  const started = performance.now();
  const texts = (async function* () { for (let at = 0; at < ${TEXTS}; at += 1) yield 'short text ' + at; })();
  for await (const { index, vector } of farm.encodeStream(texts)) {
    if (index !== rows || vector?.length !== 8) throw new Error('row ' + rows + ' is ' + index);
    rows += 1;
    if (rows % 5_000 === 0) peak = Math.max(peak, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - started) / 1_000;
  await farm.close();
  console.log(JSON.stringify({ rows, before, peak, seconds }));
`;

/** Streams under an id until it is killed; tells each row it has taken. */
const DYING = `
  import { EmbeddingFarm } from '@embedfarm/sdk';
  const farm = await EmbeddingFarm.connect({ redis: process.env.REDIS_URL });
  const texts = Array.from({ length: 5_000 }, (_, at) => 'text ' + at);
  for await (const { index } of farm.encodeStream(texts, { id: 'corpus', window: 8 })) {
    if (index % 100 === 0) console.log(index);
    if (index === 1_000) await new Promise(() => setInterval(() => {}, 1_000));
  }
`;

describe('encodeStream in a process of its own', () => {
  let redis: TestRedis;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  });
  afterAll(() => redis.close());

  function start(program: string): { child: ChildProcess; lines: AsyncIterator<string> } {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: HERE,
      env: { ...process.env, REDIS_URL: redis.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    if (!child.stdout) throw new Error('no stdout');
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }

  it(`holds flat memory over ${TEXTS} texts`, { timeout: 600_000 }, async () => {
    await start(WORKER).lines.next();
    const { value } = await start(CLIENT).lines.next();
    const { rows, before, peak, seconds } = JSON.parse(String(value)) as Record<string, number>;
    const megabytes = (bytes = 0): number => Math.round(bytes / 2 ** 20);
    console.log(
      `${rows} rows in ${seconds?.toFixed(1)} s: ${megabytes(before)} MB before, ${megabytes(peak)} MB at most`,
    );
    expect(rows).toBe(TEXTS);
    expect((peak ?? Infinity) - (before ?? 0)).toBeLessThan(MAX_GROWTH_BYTES);
  });

  it('goes on where a killed process was, without encoding again what is stored or under way', async () => {
    const { registration } = new MemoryProducer({ dimensions: 8 });
    const encoder = new MemoryEncoder(registration);
    let encoded = 0;
    const encode = encoder.encode.bind(encoder);
    encoder.encode = async (texts, options) => {
      encoded += texts.length;
      return await encode(texts, options);
    };
    const worker = await FarmWorker.open(registration, encoder, { redis: redis.url });
    const { child, lines } = start(DYING);
    for (;;) if ((await lines.next()).value === '1000') break;
    child.kill('SIGKILL');
    await once(child, 'exit');

    const farm = await EmbeddingFarm.connect({ redis: redis.url });
    const texts = Array.from({ length: 5_000 }, (_, at) => `text ${at}`);
    const taken: number[] = [];
    for await (const { index } of farm.encodeStream(texts, { id: 'corpus', position: 1_000 }))
      taken.push(index);
    expect(taken).toEqual(texts.map((_text, at) => at).slice(1_000));
    expect(encoded).toBe(5_000);
    await farm.close();
    await worker.close();
  });
});
