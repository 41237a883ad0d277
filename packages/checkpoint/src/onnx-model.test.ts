import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OnnxGraph, tensorBytes } from './onnx-graph.ts';
import { encodeOnnxModel } from './onnx-model.ts';
import { writeOnnxModel } from './write-onnx-model.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-onnx-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('writeOnnxModel', () => {
  it('writes a model that the runtime runs, with constants inside and beside it', async () => {
    const graph = new OnnxGraph('sum');
    const x = graph.input('x', 'float32', ['N', 1000]);
    const large = graph.floats('large', [1000], () => Float32Array.from({ length: 1000 }, (_, i) => i));
    const small = graph.floats('small', [1], () => Float32Array.of(0.5));
    const sum = graph.node('sum', 'Add', [graph.node('half', 'Add', [x, large]), small]);
    graph.output(sum, 'float32', ['N', 1000]);
    await writeOnnxModel(directory, graph);

    expect((await readdir(directory)).toSorted()).toEqual(['model.onnx', 'model.onnx.data']);
    expect((await stat(join(directory, 'model.onnx.data'))).size).toBe(4000);
    const outputs = await run(join(directory, 'model.onnx'), {
      x: new Tensor('float32', new Float32Array(2000).fill(1), [2, 1000]),
    });
    expect(outputs['sum']?.dims).toEqual([2, 1000]);
    expect(Array.from(floats(outputs['sum'])).slice(998, 1002)).toEqual([999.5, 1000.5, 1.5, 2.5]);
  });

  it('writes every kind of attribute and element type', async () => {
    const graph = new OnnxGraph('kinds');
    const x = graph.input('x', 'float32', [2, 3]);
    const turned = graph.node('turned', 'Transpose', [x], { attributes: { perm: { ints: [1, 0] } } });
    const soft = graph.node('soft', 'LeakyRelu', [turned], { attributes: { alpha: { float: 0.25 } } });
    const picked = graph.node('picked', 'Gather', [soft, graph.int64s('second', [1])], {
      attributes: { axis: { int: 1 } },
    });
    graph.output(picked, 'float32', [3, 1]);
    const ids = graph.input('ids', 'int32', ['T']);
    const words = graph.node('words', 'Cast', [ids], { attributes: { to: { int: 6 } } });
    graph.output(graph.node('twice', 'Add', [words, graph.int32s('two', [2])]), 'int32', ['T']);
    const bytes = graph.constant({ name: 'u8', type: 'uint8', dims: [2], read: () => Uint8Array.of(7, 255) });
    graph.output(cast(graph, bytes), 'float32', [2]);
    const signed = graph.constant({ name: 'i8', type: 'int8', dims: [1], read: () => Uint8Array.of(0xff) });
    graph.output(cast(graph, signed), 'float32', [1]);
    // 1.5 in half precision is 0x3e00.
    const half = graph.constant({
      name: 'f16',
      type: 'float16',
      dims: [1],
      read: () => Uint8Array.of(0, 0x3e),
    });
    graph.output(cast(graph, half), 'float32', [1]);
    const gelu = { domain: 'com.microsoft', attributes: {} } as const;
    graph.output(graph.node('gelu', 'Gelu', [x], gelu), 'float32', [2, 3]);
    const direction = { attributes: { direction: { string: 'RIGHT' } } };
    const shifted = graph.node('shifted', 'BitShift', [bytes, graph.constant(one)], direction);
    graph.output(cast(graph, shifted), 'float32', [2]);
    await writeOnnxModel(directory, graph);

    const outputs = await run(join(directory, 'model.onnx'), {
      x: new Tensor('float32', Float32Array.of(1, 2, 3, -4, 5, 6), [2, 3]),
      ids: new Tensor('int32', Int32Array.of(-3, 40), [2]),
    });
    const values = (name: string): number[] => Array.from(floats(outputs[name]));
    expect(values('picked')).toEqual([-1, 5, 6]);
    expect(values('twice')).toEqual([-1, 42]);
    expect(values('u8_float')).toEqual([7, 255]);
    expect(values('i8_float')).toEqual([-1]);
    expect(values('f16_float')).toEqual([1.5]);
    expect(values('gelu')[0]).toBeCloseTo(0.8413447, 6);
    expect(values('shifted_float')).toEqual([3, 127]);
  });

  it('leaves no file behind when a tensor has the wrong size', async () => {
    const graph = new OnnxGraph('broken');
    graph.floats('broken', [300], () => new Float32Array(299));
    await expect(writeOnnxModel(directory, graph)).rejects.toMatchObject({
      code: 'internal',
      message: '[internal] tensor broken [300] gave 1196 bytes, expected 1200',
    });
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('encodeOnnxModel', () => {
  it('puts tensors of 1 KiB and more beside the model, none overlapping, large ones on a page', () => {
    const graph = new OnnxGraph('layout');
    for (const [i, length] of [255, 256, 300_000, 257, 262_144].entries()) {
      graph.floats(`t${i}`, [length], () => new Float32Array(length));
    }
    const { external, bytes } = encodeOnnxModel(graph, 'data');
    expect(external.map(({ tensor }) => tensor.name)).toEqual(['t1', 't2', 't3', 't4']);
    let end = 0;
    for (const { tensor, offset } of external) {
      expect(offset).toBeGreaterThanOrEqual(end);
      expect(offset % (tensorBytes(tensor) < 1024 * 1024 ? 64 : 4096)).toBe(0);
      end = offset + tensorBytes(tensor);
    }
    expect(bytes.byteLength).toBeLessThan(2048);
  });
});

const one = { name: 'one', type: 'uint8', dims: [1], read: () => Uint8Array.of(1) } as const;

function cast(graph: OnnxGraph, value: string): string {
  return graph.node(`${value}_float`, 'Cast', [value], { attributes: { to: { int: 1 } } });
}

function floats(output: Tensor | undefined): Float32Array {
  return output === undefined ? new Float32Array() : (output.data as Float32Array);
}

async function run(
  path: string,
  inputs: Record<string, Tensor>,
): Promise<Awaited<ReturnType<InferenceSession['run']>>> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1 });
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}
