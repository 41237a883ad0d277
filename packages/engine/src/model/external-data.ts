import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

// external_data is a map entry { 1: "location", 2: file name } in protobuf bytes:
// https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
const LOCATION_ENTRY = Buffer.from('\n\x08location\x12', 'latin1');
// Names longer than 127 bytes take a second length byte and do not occur.
const MAX_NAME_BYTES = 127;

/**
 * Files beside an ONNX graph that hold its large tensors, by the names that the graph gives them, sorted.
 * The graph is read as a stream: one without external data may be 2 GB.
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
  const readable = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => readable[index]);
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
