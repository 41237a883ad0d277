import { rowBytes, type VectorDtype } from '@embedfarm/contract';

/** Room for the header; NumPy asks for a multiple of 64. */
const HEADER_BYTES = 128;
/** NumPy's names; `binary` comes as the bytes that `packbits` would give. */
const DESCR: Record<VectorDtype, string> = { float32: '<f4', float16: '<f2', int8: '|i1', binary: '|u1' };
/** An element of a text that failed: no number in floats, zero in integers and bits. */
const FAILED_ELEMENT: Record<VectorDtype, readonly number[]> = {
  float32: [0x00, 0x00, 0xc0, 0x7f],
  float16: [0x00, 0x7e],
  int8: [0],
  binary: [0],
};

/** Where everything lies in a .npy of so many rows, before any of it is read. */
export interface NpyLayout {
  readonly header: Uint8Array;
  readonly rowBytes: number;
  readonly totalBytes: number;
  readonly failedRow: Uint8Array;
}

/** Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0. */
export function npyLayout(dtype: VectorDtype, rows: number, dimensions: number): NpyLayout {
  const columns = dtype === 'binary' ? Math.ceil(dimensions / 8) : dimensions;
  const header = Buffer.alloc(HEADER_BYTES, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(HEADER_BYTES - 10, 8);
  header.write(
    `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`,
    10,
    'latin1',
  );
  header[HEADER_BYTES - 1] = 0x0a;
  const width = rowBytes(dtype, dimensions);
  return {
    header,
    rowBytes: width,
    totalBytes: HEADER_BYTES + rows * width,
    failedRow: Buffer.alloc(width, Uint8Array.from(FAILED_ELEMENT[dtype])),
  };
}
