import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FarmError } from '@embedfarm/contract';
import { ONNX_TYPES, type OnnxAttribute, type OnnxGraph, type OnnxNode } from './onnx-graph.ts';
import { tensorBytes, type OnnxTensor, type OnnxValue } from './onnx-graph.ts';

/** A tensor that lies in the data file and not in the model. */
export interface ExternalTensor {
  readonly tensor: OnnxTensor;
  /** Where it begins in the data file, in bytes. */
  readonly offset: number;
}

export interface OnnxModel {
  /** A ModelProto. */
  readonly bytes: Uint8Array;
  /** In the order of their offsets. */
  readonly external: readonly ExternalTensor[];
}

// LayerNormalization came with operator set 17; IR version 8 is its contemporary.
const OPERATOR_SET = 17;
const IR_VERSION = 8;

// The runtime maps external data into memory; what is smaller is not worth an entry.
const MIN_EXTERNAL_BYTES = 1024;

// A mapped tensor should begin on a page where it fills some, on a cache line elsewhere.
const PAGE_BYTES = 4096;
const CACHE_LINE_BYTES = 64;
const LARGE_TENSOR_BYTES = 1024 * 1024;

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;
const LOCATION_EXTERNAL = 1;

/**
 * A graph as the bytes of a model file, and the tensors that belong in the data file beside it.
 *
 * Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (field numbers).
 */
export function encodeOnnxModel(graph: OnnxGraph, dataFile: string): OnnxModel {
  const external = layOut(graph.constants);
  const offsets = new Map(external.map(({ tensor, offset }) => [tensor.name, offset]));
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(IR_VERSION);
  string(writer, 2, 'embedfarm');
  message(writer, 7, () => writeGraph(writer, graph, offsets, dataFile));
  writeOperatorSet(writer, '', OPERATOR_SET);
  if (graph.nodes.some((node) => node.domain !== '')) writeOperatorSet(writer, 'com.microsoft', 1);
  return { bytes: writer.finish(), external };
}

/** @throws FarmError `internal` when a tensor gives another number of bytes than its shape. */
export function readTensor(tensor: OnnxTensor): Uint8Array {
  const bytes = tensor.read();
  const expected = tensorBytes(tensor);
  if (bytes.byteLength === expected) return bytes;
  throw new FarmError(
    'internal',
    `tensor ${tensor.name} [${tensor.dims.join(', ')}] gave ${bytes.byteLength} bytes, expected ${expected}`,
  );
}

function layOut(tensors: readonly OnnxTensor[]): ExternalTensor[] {
  const external: ExternalTensor[] = [];
  let end = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (bytes < MIN_EXTERNAL_BYTES) continue;
    const unit = bytes < LARGE_TENSOR_BYTES ? CACHE_LINE_BYTES : PAGE_BYTES;
    const offset = Math.ceil(end / unit) * unit;
    external.push({ tensor, offset });
    end = offset + bytes;
  }
  return external;
}

function writeGraph(
  writer: BinaryWriter,
  graph: OnnxGraph,
  offsets: ReadonlyMap<string, number>,
  dataFile: string,
): void {
  for (const node of graph.nodes) message(writer, 1, () => writeNode(writer, node));
  string(writer, 2, graph.name);
  for (const tensor of graph.constants) {
    message(writer, 5, () => writeTensor(writer, tensor, offsets.get(tensor.name), dataFile));
  }
  for (const value of graph.inputs) message(writer, 11, () => writeValue(writer, value));
  for (const value of graph.outputs) message(writer, 12, () => writeValue(writer, value));
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) string(writer, 1, input);
  for (const output of node.outputs) string(writer, 2, output);
  string(writer, 3, node.name);
  string(writer, 4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    message(writer, 5, () => writeAttribute(writer, name, attribute));
  }
  if (node.domain !== '') string(writer, 7, node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: OnnxAttribute): void {
  string(writer, 1, name);
  let type: number;
  if ('float' in attribute) {
    writer.tag(2, WireType.Bit32).float(attribute.float);
    type = ATTRIBUTE_FLOAT;
  } else if ('int' in attribute) {
    writer.tag(3, WireType.Varint).int64(attribute.int);
    type = ATTRIBUTE_INT;
  } else if ('string' in attribute) {
    string(writer, 4, attribute.string);
    type = ATTRIBUTE_STRING;
  } else {
    for (const value of attribute.ints) writer.tag(8, WireType.Varint).int64(value);
    type = ATTRIBUTE_INTS;
  }
  writer.tag(20, WireType.Varint).int32(type);
}

function writeTensor(
  writer: BinaryWriter,
  tensor: OnnxTensor,
  offset: number | undefined,
  dataFile: string,
): void {
  for (const dim of tensor.dims) writer.tag(1, WireType.Varint).int64(dim);
  writer.tag(2, WireType.Varint).int32(ONNX_TYPES[tensor.type]);
  string(writer, 8, tensor.name);
  if (offset === undefined) {
    writer.tag(9, WireType.LengthDelimited).bytes(readTensor(tensor));
    return;
  }
  const entries = { location: dataFile, offset: String(offset), length: String(tensorBytes(tensor)) };
  for (const [key, value] of Object.entries(entries)) {
    message(writer, 13, () => {
      string(writer, 1, key);
      string(writer, 2, value);
    });
  }
  writer.tag(14, WireType.Varint).int32(LOCATION_EXTERNAL);
}

/** ValueInfoProto → TypeProto → Tensor → TensorShapeProto → Dimension. */
function writeValue(writer: BinaryWriter, value: OnnxValue): void {
  string(writer, 1, value.name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      writer.tag(1, WireType.Varint).int32(ONNX_TYPES[value.type]);
      message(writer, 2, () => {
        for (const dim of value.dims) message(writer, 1, () => writeDimension(writer, dim));
      });
    }),
  );
}

function writeDimension(writer: BinaryWriter, dim: number | string): void {
  if (typeof dim === 'number') writer.tag(1, WireType.Varint).int64(dim);
  else string(writer, 2, dim);
}

function writeOperatorSet(writer: BinaryWriter, domain: string, version: number): void {
  message(writer, 8, () => {
    string(writer, 1, domain);
    writer.tag(2, WireType.Varint).int64(version);
  });
}

function string(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}
