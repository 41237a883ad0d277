import { encodeOptionsSchema, encodeVectorBlock, failedBlock } from '@embedfarm/contract';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { expect, it } from 'vitest';
import { chunkLoad } from './chunk-load.ts';

const options = (given: object = {}) => encodeOptionsSchema.parse(given);
const call = { signal: new AbortController().signal, lane: 'bulk' } as const;

it.each([{}, { dtype: 'float16' }, { dtype: 'binary' }, { dimensions: 2 }, { returnTokens: true }])(
  'counts the texts and at least the bytes of the block that is to come: %j',
  async (given) => {
    const texts = ['a text', 'another one of more words', ''];
    const block = encodeVectorBlock(await new FakeEncoder().encode(texts, options(given), call));
    const { texts: count, bytes } = chunkLoad(texts, fakeRegistration(), options(given));
    expect(count).toBe(3);
    // 31 bytes of texts; the block rounds up to 8 and has a tail of JSON.
    expect(Math.abs(bytes - 31 - block.byteLength)).toBeLessThan(100);
  },
);

it('counts a row for each token that the model takes where nothing is pooled', () => {
  const model = { ...fakeRegistration(), pooling: 'none' } as const;
  const pooled = chunkLoad(['x'], fakeRegistration(), options());
  expect(chunkLoad(['x'], model, options()).bytes - pooled.bytes).toBe(511 * 16);
});

it('counts more than the block of a chunk that failed', () => {
  const failed = encodeVectorBlock(failedBlock(256, 'internal', 'no'));
  const texts = Array.from({ length: 256 }, () => 'x');
  expect(chunkLoad(texts, fakeRegistration(), options()).bytes).toBeGreaterThan(failed.byteLength);
});
