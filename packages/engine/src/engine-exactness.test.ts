import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FloatBlock } from '@embedfarm/contract';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { referenceHidden, referencePool } from '@embedfarm/testkit/reference-encoder';
import { tinyModel, writePlainOnnxModel, writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import { readModelSpec } from './model/model-spec.ts';
import { Tokenizer } from './tokenize/tokenizer.ts';

checkOpenHandles();

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-exactness-'));
});
afterAll(() => rm(directory, { recursive: true }));

const WORDS = [
  'the',
  'river',
  'écoute',
  '東京',
  'wing',
  'a',
  'question',
  'of',
  'time',
  '...',
  'Zürich',
  '42',
];

function makeTexts(count: number, longest: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const words = 1 + ((index * index * 7 + 3) % longest);
    return Array.from(
      { length: words },
      (_word, place) => WORDS[(index * 5 + place * (index + 1)) % WORDS.length],
    ).join(' ');
  });
}

const rowOf = ({ values, dimensions }: FloatBlock, row: number): Float32Array =>
  values.slice(row * dimensions, (row + 1) * dimensions);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))),
    0,
  );
}

async function encodeOnce(model: string, texts: readonly string[]): Promise<FloatBlock> {
  const engine = await Engine.open({ model, devices: 'cpu:1' });
  try {
    return await engine.encode(texts);
  } finally {
    await engine.close();
  }
}

describe('The vectors of an Engine', () => {
  const texts = ['time', 'the river of time', ...makeTexts(30, 40)];

  it('have the same bits for a text whatever batch it is in', async () => {
    const embedded = await Engine.open({ cacheDir: directory, devices: 'cpu:2' });
    const texts = makeTexts(200, 120);
    const together = await embedded.encode(texts);
    const shuffled = texts.map((_, index) => index).toSorted((a, b) => ((a * 73) % 199) - ((b * 73) % 199));
    const parts = [shuffled.slice(0, 3), shuffled.slice(3, 90), shuffled.slice(90)];
    const blocks = await Promise.all(
      parts.map((part, index) =>
        embedded.encode(
          part.map((at) => texts[at] ?? ''),
          {},
          { lane: index === 1 ? 'bulk' : 'interactive' },
        ),
      ),
    );
    for (const [index, part] of parts.entries()) {
      for (const [row, at] of part.entries()) {
        expect(rowOf(blocks[index] as FloatBlock, row)).toEqual(rowOf(together, at));
      }
    }
    for (const at of [0, 57, 199, randomInt(200)]) {
      const alone = await embedded.encode([texts[at] ?? '']);
      expect(alone.values, texts[at]).toEqual(rowOf(together, at));
    }
    await embedded.close();
  });

  it.each(['mean', 'cls', 'max'] as const)(
    'are those of the float64 encoder, pooled by %s',
    async (pooling) => {
      const model = tinyModel();
      const path = await writeTinyModel(join(directory, `reference-${pooling}`), { pooling });
      const block = await encodeOnce(path, texts);
      const tokenizer = await Tokenizer.open(await readModelSpec(path));
      let row = 0;
      for await (const part of tokenizer.tokenize(texts, 'end')) {
        for (const text of part) {
          if (text instanceof Error) throw text;
          const hidden = referenceHidden(model.config, model.weights, [...text.ids]);
          const expected = referencePool(hidden, text.ids.length, model.config.hiddenSize, pooling, true);
          expect(largestDifference(rowOf(block, row), expected)).toBeLessThan(1e-5);
          row += 1;
        }
      }
      expect(row).toBe(texts.length);
    },
  );

  it.each([
    { modelFile: 'model.onnx', tokenTypes: true },
    { modelFile: 'onnx/model.onnx', tokenTypes: false },
  ] as const)('are the same by a plain export of the same weights ($modelFile)', async (form) => {
    const plain = await writePlainOnnxModel(join(directory, `plain-${String(form.tokenTypes)}`), form);
    const packedPath = await writeTinyModel(join(directory, `packed-${String(form.tokenTypes)}`));
    const [a, b] = [await encodeOnce(plain, texts), await encodeOnce(packedPath, texts)];
    expect(largestDifference(a.values, b.values)).toBeLessThan(1e-5);
    expect(a.tokens).toEqual(b.tokens);
  });
});
