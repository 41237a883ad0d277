import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseBertConfig } from '@embedfarm/checkpoint/bert-config';
import { bertGraph } from '@embedfarm/checkpoint/bert-graph';
import { SLOT_MULTIPLE } from '@embedfarm/checkpoint/slot-multiple';
import type { BertWeights, WeightTensor } from '@embedfarm/checkpoint/bert-weights';
import type { OnnxGraph } from '@embedfarm/checkpoint/onnx-graph';
import { writeOnnxModel } from '@embedfarm/checkpoint/write-onnx-model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { plainBertGraph } from '@embedfarm/checkpoint/plain-bert-graph';
import { referenceHidden, referencePool } from './reference-encoder.ts';
import { tinyModel } from './tiny-model.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-graph-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

// float32 rounds at 6e-8; states are of the order of 1, and a few hundred sums stand behind each.
const TOLERANCE = 1e-5;

const COMPOSITIONS = [[1], [2, 2], [5, 17, 3], [40, 1, 63, 64, 65], [128]];

describe.each(['gelu', 'gelu_tanh'] as const)('with the activation %s', (activation) => {
  const { config, weights } = tinyModel({ config: { activation, layers: 3 } });

  it.each([1, 2, 3])('the packed graph cut at block %i is the reference to 1e-5', async (layers) => {
    const session = await open(bertGraph(config, weights, { layers }));
    for (const lengths of COMPOSITIONS) {
      const rows = randomRows(lengths, config.vocabularySize);
      const states = await runPacked(session, rows, config.heads);
      rows.forEach((ids, row) => {
        const expected = referenceHidden(config, weights, ids, { layers });
        expect(largestDifference(states[row], expected)).toBeLessThan(TOLERANCE);
      });
    }
  });

  it.each([true, false])('the plain graph is the reference to 1e-5, token types: %s', async (tokenTypes) => {
    const session = await open(plainBertGraph(config, weights, { tokenTypes }));
    for (const lengths of COMPOSITIONS) {
      const rows = randomRows(lengths, config.vocabularySize);
      const states = await runPlain(session, rows, tokenTypes);
      rows.forEach((ids, row) => {
        const expected = referenceHidden(config, weights, ids);
        expect(largestDifference(states[row], expected)).toBeLessThan(TOLERANCE);
      });
    }
  });
});

describe('the packed graph', () => {
  it('takes the token type of every token', async () => {
    const { config, weights } = tinyModel();
    const session = await open(bertGraph(config, weights));
    const rows = randomRows([6, 9], config.vocabularySize);
    const types = rows.map((ids) => ids.map((_, place) => (place < 4 ? 0 : 1)));
    const states = await runPacked(session, rows, config.heads, { types });
    rows.forEach((ids, row) => {
      const expected = referenceHidden(config, weights, ids, { types: types[row] ?? [] });
      expect(largestDifference(states[row], expected)).toBeLessThan(TOLERANCE);
    });
  });

  // The farm promises it: caches, retries and coalescing rest on it.
  const SIZES = [
    { name: 'a tiny model', size: {}, rounds: 60 },
    {
      name: 'two blocks of MiniLM',
      size: { hiddenSize: 384, heads: 12, intermediateSize: 1536, layers: 2 },
      rounds: 12,
    },
    {
      name: 'one block of BERT-base',
      size: { hiddenSize: 768, heads: 12, intermediateSize: 3072, layers: 1 },
      rounds: 5,
    },
  ];
  const FORMS = [undefined, 8, 7] as const;
  const same = SIZES.flatMap((size) => FORMS.map((weightBits) => ({ ...size, weightBits })));
  it.each(same)(
    'of $name gives a row the same bits in every batch, weight bits: $weightBits',
    async (form) => {
      const { size, rounds, weightBits } = form;
      const { config, weights } = tinyModel({ config: size });
      const session = await open(
        bertGraph(config, weights, weightBits ? { quantization: { weightBits } } : {}),
      );
      const random = draws(3);
      const lengths = Array.from({ length: 24 }, (_, i) => (i < 18 ? i + 1 : 2 + Math.floor(random() * 299)));
      const texts = randomRows(lengths, config.vocabularySize);
      const alone = await Promise.all(texts.map((ids) => runPacked(session, [ids], config.heads)));
      for (let round = 0; round < rounds; round += 1) {
        const chosen = Array.from({ length: 1 + Math.floor(random() * 9) }, () =>
          Math.floor(random() * texts.length),
        );
        const rows = chosen.map((text) => texts[text] ?? []);
        // Slots to spare, and padded slots that point at any token, strangers' included.
        const spareSlots = Math.floor(random() * 20);
        const states = await runPacked(session, rows, config.heads, { spareSlots, padWith: random });
        chosen.forEach((text, row) => {
          expect(sameBits(states[row], alone[text]?.[0]), `${rows[row]?.length} tokens`).toBe(true);
        });
      }
    },
  );
});

describe('the reference encoder', () => {
  // In the checkout of the project only: see its SOURCE.txt.
  const data = fileURLToPath(new URL('../../../../shared/data/synthetic-bert-32/', import.meta.url));

  it('gives the pooled states of another float64 implementation to 1e-9', ({ skip }) => {
    if (!existsSync(data)) {
      console.warn(`skipped: no ${data}, which holds the other implementation's states`);
      skip();
    }
    const config = parseBertConfig(JSON.parse(readFileSync(join(data, 'config.json'), 'utf8')));
    const weights = readSafetensors(join(data, 'model.safetensors'));
    const { cases } = JSON.parse(readFileSync(join(data, 'expected_outputs.json'), 'utf8')) as {
      cases: { gelu: string; input_ids: number[]; layers: Record<string, Record<string, number[]>> }[];
    };
    const short = cases.filter(({ input_ids }) => input_ids.length <= 64);
    expect(short.length).toBeGreaterThan(10);
    for (const { gelu, input_ids: ids, layers } of short) {
      const activation = gelu === 'erf' ? 'gelu' : 'gelu_tanh';
      for (const [layer, pooled] of Object.entries(layers)) {
        const options = { layers: config.layers + 1 + Number(layer) };
        const states = referenceHidden({ ...config, activation }, weights, ids, options);
        for (const pooling of ['mean', 'cls', 'max'] as const) {
          const vector = referencePool(states, ids.length, config.hiddenSize, pooling, false);
          expect(largestDifference(vector, pooled[pooling] ?? [])).toBeLessThan(1e-9);
        }
      }
    }
  });

  it('pools by mean, by the first token and by the largest, and gives length 1 where asked', () => {
    const states = Float64Array.of(3, 0, 5, 8);
    expect([...referencePool(states, 2, 2, 'mean', false)]).toEqual([4, 4]);
    expect([...referencePool(states, 2, 2, 'cls', false)]).toEqual([3, 0]);
    expect([...referencePool(states, 2, 2, 'max', false)]).toEqual([5, 8]);
    expect([...referencePool(states, 2, 2, 'cls', true)]).toEqual([1, 0]);
    expect([...referencePool(states, 2, 2, 'mean_max', false)]).toEqual([4, 4, 5, 8]);
    expect([...referencePool(states, 2, 2, 'last_token', false)]).toEqual([5, 8]);
    expect([...referencePool(states, 2, 2, 'none', false, [1, 0])]).toEqual([3, 0, 0, 0]);
    expect([...referencePool(states, 2, 2, 'mean', false, [0, 0])]).toEqual([0, 0]);
    expect([...referencePool(states, 2, 2, 'max', false, [0, 1])]).toEqual([5, 8]);
  });
});

let graphs = 0;

async function open(graph: OnnxGraph): Promise<InferenceSession> {
  const file = `graph${graphs++}.onnx`;
  await writeOnnxModel(directory, graph, file);
  const session = await InferenceSession.create(join(directory, file), {
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
  });
  onTestFinished(() => session.release());
  return session;
}

interface PackOptions {
  readonly types?: readonly (readonly number[])[];
  readonly spareSlots?: number;
  /** Where padded slots point; at the row's first token when left out. */
  readonly padWith?: () => number;
}

/** The hidden states of every row, [tokens, hidden] each. */
async function runPacked(
  session: InferenceSession,
  rows: readonly (readonly number[])[],
  heads: number,
  { types = rows.map((ids) => ids.map(() => 0)), spareSlots = 0, padWith }: PackOptions = {},
): Promise<Float32Array[]> {
  const longest = Math.max(...rows.map((ids) => ids.length));
  const slots = Math.ceil((longest + spareSlots) / SLOT_MULTIPLE) * SLOT_MULTIPLE;
  const tokens = rows.reduce((sum, ids) => sum + ids.length, 0);
  const starts = rows.map((_, row) => rows.slice(0, row).reduce((sum, ids) => sum + ids.length, 0));
  const everySlot = Array.from({ length: slots }, (_, slot) => slot);
  const pad = rows.flatMap((ids, row) => {
    const start = starts[row] ?? 0;
    const past = (): number => (padWith === undefined ? start : Math.floor(padWith() * tokens));
    return everySlot.map((slot) => (slot < ids.length ? start + slot : past()));
  });
  const unpad = rows.flatMap((ids, row) => ids.map((_, place) => row * heads * slots + place));
  const bias = rows.flatMap((ids) => everySlot.map((slot) => (slot < ids.length ? 0 : -1e9)));
  const { hidden } = await session.run({
    ids: new Tensor('int32', Int32Array.from(rows.flat()), [tokens]),
    positions: new Tensor('int32', Int32Array.from(rows.flatMap((ids) => [...ids.keys()])), [tokens]),
    types: new Tensor('int32', Int32Array.from(types.flat()), [tokens]),
    pad: new Tensor('int32', Int32Array.from(pad), [rows.length, 1, slots]),
    unpad: new Tensor('int32', Int32Array.from(unpad), [tokens]),
    bias: new Tensor('float32', Float32Array.from(bias), [rows.length, 1, 1, slots]),
  });
  const states = hidden?.data as Float32Array;
  const hiddenSize = states.length / tokens;
  expect(hidden?.dims).toEqual([1, tokens, hiddenSize]);
  return rows.map((ids, row) => {
    const start = (starts[row] ?? 0) * hiddenSize;
    return states.subarray(start, start + ids.length * hiddenSize);
  });
}

async function runPlain(
  session: InferenceSession,
  rows: readonly (readonly number[])[],
  tokenTypes: boolean,
): Promise<Float32Array[]> {
  const longest = Math.max(...rows.map((ids) => ids.length));
  const dims = [rows.length, longest];
  const padded = (value: (id: number) => number): Tensor => {
    const cells = rows.flatMap((ids) =>
      Array.from({ length: longest }, (_, place) => {
        const id = ids[place];
        return BigInt(id === undefined ? 0 : value(id));
      }),
    );
    return new Tensor('int64', BigInt64Array.from(cells), dims);
  };
  const inputs = { input_ids: padded((id) => id), attention_mask: padded(() => 1) };
  const types = tokenTypes ? { token_type_ids: padded(() => 0) } : {};
  const { last_hidden_state: output } = await session.run({ ...inputs, ...types });
  const states = output?.data as Float32Array;
  const rowSize = states.length / rows.length;
  return rows.map((ids, row) =>
    states.subarray(row * rowSize, row * rowSize + (ids.length * rowSize) / longest),
  );
}

function randomRows(lengths: readonly number[], vocabularySize: number): number[][] {
  const random = draws(lengths.length);
  return lengths.map((length) => Array.from({ length }, () => Math.floor(random() * vocabularySize)));
}

/** A linear congruential generator: repeatable numbers in [0, 1). */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function largestDifference(got: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  expect(got?.length).toBe(expected.length);
  return Array.from(expected).reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - (got?.[i] ?? Number.NaN))),
    0,
  );
}

function sameBits(left: Float32Array | undefined, right: Float32Array | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  const bytes = (values: Float32Array): Buffer =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return bytes(left).equals(bytes(right));
}

/** Enough of the format for this file: a JSON header, then float32. */
function readSafetensors(path: string): BertWeights {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >;
  const weights = new Map<string, WeightTensor>();
  for (const [name, { shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const bytes = new Uint8Array(file.subarray(start + offsets[0], start + offsets[1]));
    weights.set(name, { shape, read: () => new Float32Array(bytes.buffer) });
  }
  return weights;
}
