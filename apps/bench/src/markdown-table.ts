/** A Markdown table: words to the left, numbers to the right. */
export function markdownTable(
  headers: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const [first = []] = rows;
  const rule = headers.map((_, column) => (isNumber(first[column]) ? '---:' : '---'));
  return [headers, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three digits that count, or all before the point. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function isNumber(cell: string | number | undefined): boolean {
  return /^[-−]?[\d.]+( %)?$|^–$/.test(String(cell));
}
