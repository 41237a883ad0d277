import { createHash, randomUUID, type Hash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OnnxGraph } from './onnx-graph.ts';
import { encodeOnnxModel, readTensor, type ExternalTensor } from './onnx-model.ts';

/**
 * Writes `<file>` (the graph) and `<file>.data` (the tensors) into a directory that exists.
 * One tensor at a time is in memory. Each file appears whole, the data first: a model that can be
 * read has its data.
 *
 * @returns the SHA-256 (hex) of both files' bytes, by their names.
 */
export async function writeOnnxModel(
  directory: string,
  graph: OnnxGraph,
  file = 'model.onnx',
): Promise<Record<string, string>> {
  const dataFile = `${basename(file)}.data`;
  const model = encodeOnnxModel(graph, dataFile);
  const dataHash = createHash('sha256');
  await writeWhole(join(directory, `${file}.data`), (handle) =>
    writeTensors(handle, model.external, dataHash),
  );
  await writeWhole(join(directory, file), (handle) => writeAll(handle, model.bytes, 0));
  return {
    [file]: createHash('sha256').update(model.bytes).digest('hex'),
    [`${file}.data`]: dataHash.digest('hex'),
  };
}

type Handle = Awaited<ReturnType<typeof open>>;

async function writeTensors(handle: Handle, external: readonly ExternalTensor[], hash: Hash): Promise<void> {
  let end = 0;
  for (const { tensor, offset } of external) {
    const bytes = readTensor(tensor);
    await writeAll(handle, bytes, offset);
    // What lies between two tensors reads as zeros.
    hash.update(new Uint8Array(offset - end)).update(bytes);
    end = offset + bytes.byteLength;
  }
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
