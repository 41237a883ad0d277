import { sliceBlock, type EncodeText, type VectorBlock } from '@embedfarm/contract';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallPart } from './call-part.ts';
import { MissedTexts, runsOf } from './missed-texts.ts';

const TEXTS = Array.from({ length: 12 }, (_, index) => `text ${index}`);

describe('MissedTexts', () => {
  it('puts each vector to its text, in whatever chunks they travel', async () => {
    const expected = await encode(TEXTS);
    const someTexts = fc.subarray(
      TEXTS.map((_, index) => index),
      { minLength: 1 },
    );
    const chunkSize = fc.integer({ min: 1, max: 5 });
    // Chunks of the part stand within the job behind texts of another call.
    const before = fc.integer({ min: 0, max: 3 });
    await fc.assert(
      fc.asyncProperty(someTexts, chunkSize, before, async (places, size, ahead) => {
        const got = new Map<number, number[]>();
        const part = new MissedTexts(callThatTakes(got), places);
        expect(part.texts).toEqual(places.map((place) => TEXTS[place]));
        for (let at = 0; at < places.length; at += size) {
          const texts = part.texts.slice(at, at + size);
          const block = await encode([...Array<EncodeText>(ahead).fill('a stranger'), ...texts]);
          part.put(at, { status: 'done', block }, ahead, ahead + texts.length);
        }
        const rows = places.map((place) => [place, vectorOf(expected, place)]);
        expect([...got].toSorted(([a], [b]) => a - b)).toEqual(rows);
      }),
    );
  });

  it('counts runs without a gap', () => {
    expect(runsOf([])).toEqual([]);
    expect(runsOf([3])).toEqual([{ from: 0, to: 1 }]);
    expect(runsOf([0, 1, 4, 6, 7])).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 3 },
      { from: 3, to: 5 },
    ]);
  });
});

function callThatTakes(got: Map<number, number[]>): CallPart {
  return {
    texts: TEXTS,
    hasEnded: false,
    patienceMs: 1,
    whenOverloaded: 'reject',
    trace: undefined,
    ended: Promise.resolve(),
    explainDeadline: () => undefined,
    fail: () => undefined,
    onDetach: () => undefined,
    put(at, { block }, from, to) {
      const own = sliceBlock(block, from, to);
      for (let index = 0; index < to - from; index += 1) {
        expect(got.has(at + index)).toBe(false);
        got.set(at + index, vectorOf(own, index));
      }
    },
  };
}

async function encode(texts: readonly EncodeText[]): Promise<VectorBlock> {
  const { signal } = new AbortController();
  return await new FakeEncoder().encode(
    texts,
    { dtype: 'float32', truncate: 'end' },
    { signal, lane: 'bulk' },
  );
}

function vectorOf(block: VectorBlock, index: number): number[] {
  return Array.from(sliceBlock(block, index, index + 1).values);
}
