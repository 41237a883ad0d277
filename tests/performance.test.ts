import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const DOCS = new URL('../docs/', import.meta.url);
const page = await readFile(new URL('performance.md', DOCS), 'utf8');

describe('docs/performance.md', () => {
  it.each(['engine.md, reach', 'engine.md, speed'])('shows the very rows of %s', async (name) => {
    const output = rowsOf(await readFile(new URL('benchmarks/engine.md', DOCS), 'utf8'));
    const [, block = ''] = page.split(new RegExp(`<!-- (?:end of )?${name} -->`));
    const [, , ...shown] = rowsOf(block);
    expect(shown.length).toBeGreaterThan(0);
    for (const row of shown) expect(output).toContain(row);
  });

  it('comes with engine.md: what one says of a target, the other says too', async () => {
    const { reach } = JSON.parse(await readFile(new URL('benchmarks/engine.json', DOCS), 'utf8')) as {
      reach: { what: string; isReached: boolean }[];
    };
    const judged = rowsOf(page).filter((row) => /\|(yes|\*\*no\*\*)\|$/.test(row));
    expect(judged.map((row) => row.endsWith('|yes|'))).toEqual(reach.map(({ isReached }) => isReached));
  });

  it('links only to files that are there, plots too', async () => {
    const links = [...page.matchAll(/\]\((?!http)([^)#]+)[^)]*\)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => link.endsWith('.svg')).length).toBeGreaterThan(0);
    for (const link of links) {
      const isThere = await access(fileURLToPath(new URL(link, DOCS))).then(
        () => true,
        () => false,
      );
      expect(isThere, link).toBe(true);
    }
  });
});

/** Table rows without the formatter's spaces. */
function rowsOf(markdown: string): string[] {
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .join('|'),
  );
}
