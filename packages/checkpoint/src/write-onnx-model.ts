import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OnnxGraph } from './onnx-graph.ts';
import { encodeOnnxModel, readTensor, type ExternalTensor } from './onnx-model.ts';

/**
 * Writes `<file>` (the graph) and `<file>.data` (the tensors) into a directory that exists.
 * One tensor at a time is in memory. Each file appears whole, the data first: a model that can be
 * read has its data.
 */
export async function writeOnnxModel(
  directory: string,
  graph: OnnxGraph,
  file = 'model.onnx',
): Promise<void> {
  const dataFile = `${basename(file)}.data`;
  const model = encodeOnnxModel(graph, dataFile);
  await writeWhole(join(directory, `${file}.data`), (handle) => writeTensors(handle, model.external));
  await writeWhole(join(directory, file), (handle) => writeAll(handle, model.bytes, 0));
}

type Handle = Awaited<ReturnType<typeof open>>;

async function writeTensors(handle: Handle, external: readonly ExternalTensor[]): Promise<void> {
  for (const { tensor, offset } of external) await writeAll(handle, readTensor(tensor), offset);
}

/** Temporary name, then fsync, then rename. */
async function writeWhole(path: string, write: (handle: Handle) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
}

/** One write call may take less than it was given. */
async function writeAll(handle: Handle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const { bytesWritten } = await handle.write(
      bytes,
      written,
      bytes.byteLength - written,
      position + written,
    );
    written += bytesWritten;
  }
}
