/** What a person needs to know a text by. */
const MAX_TEXT_LENGTH = 60;
const MAX_ITEMS = 3;
const MAX_FIELDS = 40;
const MAX_DEPTH = 6;

/** JSON with its long texts cut, and of its lists the first three: for a page that shows jobs, not what is in them. */
export function cutShort(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cutText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) {
    const shown = value.slice(0, MAX_ITEMS).map((item) => cutShort(item, depth + 1));
    const left = value.length - shown.length;
    return left > 0 ? [...shown, `… ${left} more`] : shown;
  }
  const fields = Object.entries(value);
  const shown = fields
    .slice(0, MAX_FIELDS)
    .map(([name, field]) => [cutText(name), cutShort(field, depth + 1)]);
  const left = fields.length - shown.length;
  return Object.fromEntries(left > 0 ? [...shown, ['…', `${left} more`]] : shown);
}

/** By code points, so that no character is cut in two. */
export function cutText(text: string, maxLength = MAX_TEXT_LENGTH): string {
  if (text.length <= maxLength) return text;
  const shown = Array.from(text.slice(0, 2 * maxLength))
    .slice(0, maxLength)
    .join('');
  return `${shown}… (${text.length} characters)`;
}
