import type { VectorDtype } from '@embedfarm/contract';
import { DenseRows } from './dense-rows.ts';
import type { FormattedRows } from './formatted-rows.ts';

/** Room for the header; NumPy asks for a multiple of 64. */
const HEADER_BYTES = 128;

/** NumPy's names; `binary` comes as the bytes that `packbits` would give. */
const DESCR: Record<VectorDtype, string> = { float32: '<f4', float16: '<f2', int8: '|i1', binary: '|u1' };

/**
 * A NumPy array, shape `[texts, dimensions]` (of `binary` `[texts, ceil(dimensions / 8)]`). Its header is known at the
 * end, and goes where the first 128 bytes were left free.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0.
 */
export function formatNpy(): FormattedRows {
  const dense = new DenseRows();
  let isFirst = true;
  const placeholder = (): Uint8Array => {
    const bytes = new Uint8Array(isFirst ? HEADER_BYTES : 0);
    isFirst = false;
    return bytes;
  };
  return {
    add: (_, embeddings) => Buffer.concat([placeholder(), dense.add(embeddings)]),
    end: placeholder,
    head: () => npyHeader(dense.dtype ?? 'float32', dense.rows, dense.dimensions),
  };
}

function npyHeader(dtype: VectorDtype, rows: number, dimensions: number): Uint8Array {
  const columns = dtype === 'binary' ? Math.ceil(dimensions / 8) : dimensions;
  const fields = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const bytes = Buffer.alloc(HEADER_BYTES, ' ');
  bytes.write('\x93NUMPY\x01\x00', 'latin1');
  bytes.writeUInt16LE(HEADER_BYTES - 10, 8);
  bytes.write(fields, 10, 'latin1');
  bytes[HEADER_BYTES - 1] = 0x0a;
  return bytes;
}
