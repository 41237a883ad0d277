import { extname } from 'node:path';
import { formatJsonl } from './format-jsonl.ts';
import { formatNpy } from './format-npy.ts';
import { formatRaw } from './format-raw.ts';
import type { FormattedRows } from './formatted-rows.ts';

/** How vectors stand in a file. */
export const ROW_FORMATS = ['jsonl', 'npy', 'raw'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

/** By the name of the file; JSONL where it says nothing. */
export function rowFormat(file: string | undefined): RowFormat {
  switch (extname(file ?? '')) {
    case '.npy':
      return 'npy';
    case '.raw':
    case '.bin':
    case '.f32':
      return 'raw';
    default:
      return 'jsonl';
  }
}

export function formatRows(format: RowFormat): FormattedRows {
  switch (format) {
    case 'jsonl':
      return formatJsonl();
    case 'npy':
      return formatNpy();
    case 'raw':
      return formatRaw();
  }
}
