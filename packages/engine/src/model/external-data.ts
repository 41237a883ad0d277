import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { isFile } from './is-file.ts';

// external_data is a map entry { 1: "location", 2: file name } in protobuf bytes:
// https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
const LOCATION_ENTRY = Buffer.from('\n\x08location\x12', 'latin1');
// Names longer than 127 bytes take a second length byte and do not occur.
const MAX_NAME_BYTES = 127;

/**
 * Files beside an ONNX graph that hold its large tensors, by the names that the graph gives them, sorted.
 * The graph is read as a stream: one without external data may be 2 GB. Missing ones are left out; the
 * runtime refuses the graph then.
 *
 * @throws FarmError `invalid_argument` for one that is outside the graph's folder, or no regular file:
 *   `../../dev/zero` has no end.
 */
export async function findExternalData(graph: string): Promise<string[]> {
  const names = new Set<string>();
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(graph, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    collectNames(bytes, names);
    rest = bytes.subarray(Math.max(0, bytes.length - LOCATION_ENTRY.length - 1 - MAX_NAME_BYTES));
  }
  const paths = [...names].toSorted().map((name) => join(dirname(graph), name));
  const found = await Promise.all(paths.map((path) => isData(graph, path)));
  return paths.filter((_, index) => found[index]);
}

async function isData(graph: string, path: string): Promise<boolean> {
  if (relative(dirname(graph), path).split(sep)[0] === '..') {
    throw new FarmError('invalid_argument', `${graph} has external data outside its folder: ${path}`);
  }
  if (await isFile(path)) return true;
  const isOther = await stat(path).then(
    () => true,
    () => false,
  );
  if (!isOther) return false;
  throw new FarmError('invalid_argument', `${graph} has external data that is no readable file: ${path}`);
}

function collectNames(bytes: Buffer, names: Set<string>): void {
  let at = bytes.indexOf(LOCATION_ENTRY);
  while (at >= 0) {
    const nameAt = at + LOCATION_ENTRY.length + 1;
    const length = bytes[nameAt - 1] ?? 0;
    if (length > 0 && length <= MAX_NAME_BYTES && nameAt + length <= bytes.length) {
      names.add(bytes.toString('utf8', nameAt, nameAt + length));
    }
    at = bytes.indexOf(LOCATION_ENTRY, nameAt);
  }
}
