import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeDevice } from '@embedfarm/testkit/fake-device';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { writePlainOnnxModel, writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinSequences } from '../batch/sequence-batch.ts';
import { readModelSpec, type ModelSpec } from '../model/model-spec.ts';
import type { Device } from './device.ts';
import type { OnnxDeviceOptions } from './onnx-device-options.ts';
import { OnnxDevice } from './onnx-device.ts';
import { ReplaceableDevice } from './replaceable-device.ts';
import { ThreadedDevice } from './threaded-device.ts';

checkOpenHandles();

let directory: string;
let packed: ModelSpec;
let padded: ModelSpec;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'device-conformance-'));
  const [tiny, plain] = [join(directory, 'tiny'), join(directory, 'plain')];
  packed = await readModelSpec(await writeTinyModel(tiny));
  padded = await readModelSpec(await writePlainOnnxModel(plain));
});
afterAll(() => rm(directory, { recursive: true }));

/** What every Device must do. */
function testDevice(name: string, openDevice: () => Promise<Device>): void {
  describe(`${name} as a Device`, () => {
    let device: Device;
    beforeAll(async () => {
      device = await openDevice();
    });
    afterAll(() => device.close());

    const first = Int32Array.of(2, 17, 3);
    const second = Int32Array.of(2, 41, 42, 43, 44, 45, 3);
    const third = Int32Array.of(2, 3);
    const rowOf = (rows: Float32Array, row: number): number[] =>
      Array.from(rows.subarray(row * device.dimensions, (row + 1) * device.dimensions));

    it('returns one row per sequence, in the order given', async () => {
      const rows = await device.encode(joinSequences([first, second, third]));
      expect(rows).toHaveLength(3 * device.dimensions);
      const turned = await device.encode(joinSequences([third, second, first]));
      expect(largestDifference(rowOf(turned, 0), rowOf(rows, 2))).toBeLessThan(1e-5);
      expect(largestDifference(rowOf(turned, 2), rowOf(rows, 0))).toBeLessThan(1e-5);
      expect(rowOf(rows, 0)).not.toEqual(rowOf(rows, 1));
    });

    it('gives a sequence the same row alone and in company', async () => {
      const company = await device.encode(joinSequences([first, second, third]));
      for (const [row, sequence] of [first, second, third].entries()) {
        const alone = await device.encode(joinSequences([sequence]));
        expect(largestDifference(rowOf(alone, 0), rowOf(company, row))).toBeLessThan(1e-5);
      }
    });

    it('runs batches that are given at once in their order', async () => {
      const ends: number[] = [];
      const runs = [first, second, third].map(async (sequence, index) => {
        await device.encode(joinSequences([sequence]));
        ends.push(index);
      });
      await Promise.all(runs);
      expect(ends).toEqual([0, 1, 2]);
    });

    it('refuses what the model does not take, and goes on', async () => {
      const refused = { code: 'invalid_argument' };
      await expect(device.encode(joinSequences([Int32Array.of(2, -5, 3)]))).rejects.toMatchObject(refused);
      await expect(device.encode(joinSequences([Int32Array.of(2, 1e9, 3)]))).rejects.toMatchObject(refused);
      await expect(device.encode(joinSequences([new Int32Array(513)]))).rejects.toMatchObject(refused);
      await expect(device.encode(joinSequences([new Int32Array(0), first]))).rejects.toMatchObject(refused);
      await expect(device.encode(joinSequences([]))).rejects.toMatchObject(refused);
      await expect(device.encode(joinSequences([first]))).resolves.toHaveLength(device.dimensions);
    });

    it('finishes what it has before it closes, may be closed twice, and takes nothing after', async () => {
      const other = await openDevice();
      const inFlight = [first, second].map((sequence) => other.encode(joinSequences([sequence])));
      const closing = [other.close(), other.close()];
      const late = other.encode(joinSequences([third]));
      await expect(late).rejects.toMatchObject({ code: 'device_lost' });
      for (const rows of await Promise.all(inFlight)) expect(rows).toHaveLength(other.dimensions);
      await Promise.all(closing);
    });
  });
}

function largestDifference(row: readonly number[], expected: readonly number[]): number {
  return row.reduce((most, value, at) => Math.max(most, Math.abs(value - (expected[at] ?? Number.NaN))), 0);
}

function optionsOf(spec: ModelSpec): OnnxDeviceOptions {
  const { graph, pooling, vocabularySize, maxSequenceLength, dimensions, heads, padId, files } = spec;
  const sizes = { vocabularySize, maxSequenceLength, dimensions, heads, padId };
  return { name: 'cpu/0', modelFile: files.graph, graph, pooling, ...sizes };
}

testDevice('FakeDevice', async () => new FakeDevice());
testDevice('OnnxDevice with a packed graph', () => OnnxDevice.open(optionsOf(packed)));
testDevice('OnnxDevice with a plain export', () => OnnxDevice.open(optionsOf(padded)));
testDevice('ThreadedDevice', () => ThreadedDevice.open(optionsOf(packed)));
testDevice('ReplaceableDevice', () => ReplaceableDevice.open(async () => new FakeDevice()));
// Where webgpu.gpu.test.ts has found an adapter.
if (process.env['EMBEDFARM_TEST_WEBGPU'] === '1') {
  const name = 'webgpu';
  testDevice('OnnxDevice on webgpu', () => OnnxDevice.open({ ...optionsOf(packed), name }));
  testDevice('OnnxDevice on webgpu with a plain export', () =>
    OnnxDevice.open({ ...optionsOf(padded), name }),
  );
  testDevice('ThreadedDevice on webgpu', () => ThreadedDevice.open({ ...optionsOf(packed), name }));
}
