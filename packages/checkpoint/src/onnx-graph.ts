/** Element types and their numbers in TensorProto.DataType of onnx.proto. */
export const ONNX_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  float16: 10,
} as const;

export type OnnxType = keyof typeof ONNX_TYPES;

export const ONNX_TYPE_BYTES: Record<OnnxType, number> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  float16: 2,
};

/** A constant of the graph. Its bytes are made when it is written, so a big model never lies in memory whole. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Row-major, little-endian; exactly `tensorBytes` long. */
  readonly read: () => Uint8Array;
}

/** An input or output of the graph; a string names a dimension that the caller chooses. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly (number | string)[];
}

export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** '' is the ONNX operator set; the runtime's own operators are in 'com.microsoft'. */
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxNodeOptions {
  readonly domain?: OnnxNode['domain'];
  readonly attributes?: OnnxNode['attributes'];
}

/** A graph in the making: every method that adds something returns the name of its value. */
export class OnnxGraph {
  readonly name: string;
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxTensor[] = [];
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  readonly #shared = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  input(name: string, type: OnnxType, dims: OnnxValue['dims']): string {
    this.inputs.push({ name, type, dims });
    return name;
  }

  output(name: string, type: OnnxType, dims: OnnxValue['dims']): string {
    this.outputs.push({ name, type, dims });
    return name;
  }

  /** The node's one output has the node's name. */
  node(name: string, op: string, inputs: readonly string[], options: OnnxNodeOptions = {}): string {
    const { domain = '', attributes = {} } = options;
    this.nodes.push({ name, op, domain, inputs, outputs: [name], attributes });
    return name;
  }

  /** A value that several parts of the graph need: `make` adds it when the first one asks. */
  once(name: string, make: (name: string) => string): string {
    if (this.#shared.has(name)) return name;
    this.#shared.add(name);
    return make(name);
  }

  constant(tensor: OnnxTensor): string {
    this.constants.push(tensor);
    return tensor.name;
  }

  floats(name: string, dims: readonly number[], read: () => Float32Array): string {
    return this.constant({ name, type: 'float32', dims, read: () => bytesOf(read()) });
  }

  int32s(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.constant({ name, type: 'int32', dims, read: () => bytesOf(Int32Array.from(values)) });
  }

  int64s(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.constant({
      name,
      type: 'int64',
      dims,
      read: () => bytesOf(BigInt64Array.from(values, BigInt)),
    });
  }
}

export function tensorBytes({ type, dims }: Pick<OnnxTensor, 'type' | 'dims'>): number {
  return dims.reduce((size, dim) => size * dim, ONNX_TYPE_BYTES[type]);
}

// Node runs on little-endian machines only, so the memory of a typed array is the file's form.
function bytesOf(values: Float32Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
