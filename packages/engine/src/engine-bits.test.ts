import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LANES, type EncodeOptions, type EncodeText } from '@embedfarm/contract';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { writeWeights } from '@embedfarm/testkit/write-weights';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EngineOptions } from './engine-options.ts';
import { Engine } from './engine.ts';

checkOpenHandles();

let directory: string;
let source: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-bits-'));
  source = await writeWeights(join(directory, 'weights'));
});
afterAll(() => rm(directory, { recursive: true }));

const WORDS = ['the', 'river', 'écoute', '東京', 'wing', 'a', 'question', 'of', 'time', '...', '42'];

/** Strings and pairs of 1 to 110 words, every kind beside every other. */
function makeTexts(count: number): EncodeText[] {
  const words = (from: number, length: number): string =>
    Array.from({ length }, (_, place) => WORDS[(from * 5 + place * (from + 1)) % WORDS.length]).join(' ');
  return Array.from({ length: count }, (_, at) => {
    const text = words(at, 1 + ((at * at * 7) % 110));
    return at % 3 === 0 ? [text, words(at + 3, at % 20)] : text;
  });
}

const TEXTS = makeTexts(40);

/** Calls that come while others run: which texts, of which lane, and whether others may begin before it. */
const calls = fc.array(
  fc.record({
    places: fc.array(fc.nat(TEXTS.length - 1), { minLength: 1, maxLength: 12 }),
    lane: fc.constantFrom(...LANES),
    waits: fc.constantFrom('not', 'a turn', 'for all before'),
  }),
  { minLength: 1, maxLength: 12 },
);

const WEIGHTS = ['float32', 'int8'] as const;
const POOLINGS = ['mean', 'cls'] as const;
const CASES = WEIGHTS.flatMap((dtype) => POOLINGS.map((pooling) => ({ dtype, pooling })));

async function open(options: EngineOptions): Promise<Engine> {
  const engine = await Engine.open({ model: source, cacheDir: join(directory, 'cache'), ...options });
  onTestFinished(() => engine.close());
  return engine;
}

describe.each(CASES)('an engine with weights in $dtype, pooled by $pooling', (model) => {
  it.each<[string, Partial<EncodeOptions>]>([
    ['as they are', {}],
    ['as int8 behind a prompt', { dtype: 'int8', prompt: 'a question of ' }],
  ])(
    'gives a text the bits that it has alone on one core, whatever comes beside it, %s',
    async (_, options) => {
      const core = await open({ ...model, devices: 'cpu:1' });
      const alone: Uint8Array[] = [];
      for (const text of TEXTS) alone.push(bytesOf(await core.encode([text], options)));
      const engines = [
        await open({ ...model, devices: 'cpu:2' }),
        await open({ ...model, devices: 'cpu:3', lowLatency: false, tokenBudget: 100, windowTexts: 64 }),
      ];
      await fc.assert(
        fc.asyncProperty(calls, fc.constantFrom(...engines), async (arrivals, engine) => {
          const running: Promise<void>[] = [];
          for (const { places, lane, waits } of arrivals) {
            if (waits === 'a turn') await nextTurn();
            if (waits === 'for all before') await Promise.all(running);
            const texts = places.map((place) => TEXTS[place] ?? '');
            const check = async (): Promise<void> => {
              const bytes = bytesOf(await engine.encode(texts, options, { lane }));
              expect(bytes.equals(Buffer.concat(places.map((place) => alone[place] ?? bytes)))).toBe(true);
            };
            running.push(check());
          }
          await Promise.all(running);
        }),
        { numRuns: 12 },
      );
    },
  );
});

function bytesOf({
  values,
}: {
  values: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number };
}): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
