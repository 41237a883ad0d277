/** Bytes from the first up to the last, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The one range that a `Range` header asks for. RFC 9110 lets a server answer with the whole where there are several, or
 * where the header makes no sense.
 *
 * @returns undefined for the whole; `none` where no byte of it is there.
 */
export function byteRange(header: string | undefined, totalBytes: number): ByteRange | 'none' | undefined {
  const [, from = '', to = ''] =
    /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const count = Math.min(Number(to), totalBytes);
    return count === 0 ? 'none' : { first: totalBytes - count, last: totalBytes - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= totalBytes) return 'none';
  return { first, last: to === '' ? totalBytes - 1 : Math.min(Number(to), totalBytes - 1) };
}
