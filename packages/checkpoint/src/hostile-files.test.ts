import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from './safetensors.ts';
import { safetensorsOf } from './safetensors.fixture.ts';
import type { StoredTensors } from './stored-tensor.ts';
import { bundleFiles, floatTensor, type BundleOptions } from './tensor-bundle/bundle.fixture.ts';
import { readTensorBundle } from './tensor-bundle/bundle.ts';

// Whatever the bytes are: the right values, or a FarmError that names the file.

const numRuns = Number(process.env['EMBEDFARM_FUZZ_RUNS'] ?? 300);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'embedfarm-hostile-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const VALUES = Array.from({ length: 30 }, (_, i) => [i, -i / 3, 2 ** i]);
const NAMES = VALUES.map((_, i) => `bert/encoder/layer_${i % 12}/output/dense/${i}`);

const damages = fc.record({
  flips: fc.array(fc.record({ at: fc.nat(), bit: fc.nat(7) }), { minLength: 1, maxLength: 4 }),
  keep: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }),
  isInsertion: fc.boolean(),
});

describe('a tensor bundle', () => {
  const tensors = Object.fromEntries(VALUES.map((values, i) => [NAMES[i], floatTensor([3], values)]));

  it.each<[string, BundleOptions]>([
    ['plain', { shards: 2, entriesPerBlock: 8 }],
    ['packed by Snappy', { snappy: true, entriesPerBlock: 8 }],
  ])('%s, with any bits turned and any part missing, gives the right values or a FarmError', (_, options) => {
    const files = [...bundleFiles(tensors, options)];
    fc.assert(
      fc.property(fc.nat(files.length - 1), damages, (chosen, damage) => {
        const prefix = join(directory, 'flipped.ckpt');
        files.forEach(([suffix, bytes], index) => {
          writeFileSync(`${prefix}${suffix}`, index === chosen ? damaged(bytes, damage) : bytes);
        });
        expect(outcome(prefix, () => checkValues(readTensorBundle(prefix)))).toBe(AS_PROMISED);
      }),
      { numRuns },
    );
  });

  it('of damaged blocks with sound checksums, gives some values or a FarmError', () => {
    const blocks = fc.constantFrom(0, 1, 'index');
    fc.assert(
      fc.property(blocks, damages, fc.boolean(), (chosen, damage, snappy) => {
        const prefix = join(directory, 'lying.ckpt');
        const options: BundleOptions = {
          snappy,
          entriesPerBlock: 16,
          damage: (content, block) => (block === chosen ? damaged(content, damage) : content),
        };
        for (const [suffix, bytes] of bundleFiles(tensors, options))
          writeFileSync(`${prefix}${suffix}`, bytes);
        expect(outcome(prefix, () => readAll(prefix, readTensorBundle(prefix)))).toBe(AS_PROMISED);
      }),
      { numRuns },
    );
  });
});

describe('a safetensors file', () => {
  const file = safetensorsOf(
    Object.fromEntries(VALUES.map((values, i) => [NAMES[i], floatTensor([3], values)])),
  );
  const headerBytes = 8 + Number(Buffer.from(file).readBigUInt64LE());

  it('with any bits of its header turned and any part missing gives values or a FarmError', () => {
    fc.assert(
      fc.property(damages, ({ flips, ...damage }) => {
        const path = join(directory, 'flipped.safetensors');
        const inHeader = flips.map(({ at, bit }) => ({ at: at % headerBytes, bit }));
        writeFileSync(path, damaged(file, { ...damage, flips: inHeader }));
        expect(outcome(path, () => readAll(path, readSafetensors(path)))).toBe(AS_PROMISED);
      }),
      { numRuns },
    );
  });

  it('whose header is any JSON gives values or a FarmError', () => {
    const number = fc.oneof(fc.nat(400), fc.maxSafeInteger(), fc.double());
    const entry = fc.record({
      dtype: fc.constantFrom('F32', 'F16', 'BOOL', '__proto__'),
      shape: fc.array(number, { maxLength: 3 }),
      data_offsets: fc.array(number, { maxLength: 3 }),
    });
    const headers = fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue()));
    fc.assert(
      fc.property(headers, (header) => {
        const path = join(directory, 'any.safetensors');
        const json = Buffer.from(JSON.stringify(header));
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(json.length));
        writeFileSync(path, Buffer.concat([length, json, new Uint8Array(360)]));
        expect(outcome(path, () => readAll(path, readSafetensors(path)))).toBe(AS_PROMISED);
      }),
      { numRuns },
    );
  });
});

interface Damage {
  readonly flips: readonly { readonly at: number; readonly bit: number }[];
  readonly keep: number | null;
  readonly isInsertion: boolean;
}

function damaged(bytes: Uint8Array, { flips, keep, isInsertion }: Damage): Uint8Array {
  const changed = Uint8Array.from(bytes);
  for (const { at, bit } of flips) {
    if (changed.length > 0) changed[at % changed.length]! ^= 1 << bit;
  }
  if (keep === null) return changed;
  const cut = Math.floor(keep * changed.length);
  if (!isInsertion) return changed.subarray(0, cut);
  return Buffer.concat([changed.subarray(0, cut), Uint8Array.of(0xff, 0x80, 0), changed.subarray(cut)]);
}

/** Every value of a bundle stands under a checksum. */
function checkValues(tensors: StoredTensors): void {
  if (tensors.size !== NAMES.length) throw new Error(`${tensors.size} tensors`);
  NAMES.forEach((name, i) => {
    const values = tensors.get(name)?.read();
    if (values?.join() !== Float32Array.from(VALUES[i]!).join())
      throw new Error(`${name} is ${values?.join()}`);
  });
}

/** A tensor that cannot be read must not keep the others from it. */
function readAll(path: string, tensors: StoredTensors): void {
  for (const { read } of tensors.values()) {
    const fault = outcome(path, read);
    if (fault !== AS_PROMISED) throw new Error(fault);
  }
}

const AS_PROMISED = 'values, or a FarmError that names the file';

function outcome(path: string, act: () => unknown): string {
  try {
    act();
  } catch (error) {
    const isNamed =
      error instanceof FarmError && error.code === 'invalid_argument' && error.message.includes(path);
    if (!isNamed) return String(error);
  }
  return AS_PROMISED;
}
