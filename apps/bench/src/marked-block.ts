/**
 * A text with what stands between `<!-- name -->` and `<!-- end of name -->` replaced. A text without the
 * marks stays as it is.
 */
export function replaceMarkedBlock(text: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) return text;
  return `${text.slice(0, from)}${begin}\n\n${body}\n\n${text.slice(to)}`;
}

/** A Markdown table with every column as wide as its widest cell, as the formatter wants it. */
export function alignTable(table: string): string {
  const rows = table.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const [headers = [], rule = []] = rows;
  const widths = headers.map((_, column) => {
    const cells = rows.filter((row) => row !== rule).map((row) => (row[column] ?? '').length);
    return Math.max(3, ...cells);
  });
  const isRight = rule.map((cell) => cell.endsWith(':'));
  const lines = rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      if (row === rule) return isRight[column] === true ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width);
      const space = ' '.repeat(width - cell.length);
      return isRight[column] === true ? space + cell : cell + space;
    }),
  );
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
