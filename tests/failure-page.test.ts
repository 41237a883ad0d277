import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const DOCS = new URL('../docs/', import.meta.url);
const page = await readFile(new URL('failure.md', DOCS), 'utf8');

interface Report {
  readonly rows: readonly { readonly event: string; readonly runs: number; readonly isKept: boolean }[];
}

describe('docs/failure.md', () => {
  it('shows every row of failure.json, with its runs and whether it was kept', async () => {
    const json = await readFile(new URL('benchmarks/failure.json', DOCS), 'utf8');
    const { rows } = JSON.parse(json) as Report;
    const [, block = ''] = page.split(/<!-- (?:end of )?failure\.json -->/);
    const shown = block
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(shown.slice(2).map((cells) => [cells[0], Number(cells[1]), cells.at(-1) === 'yes'])).toEqual(
      rows.map(({ event, runs, isKept }) => [event, runs, isKept]),
    );
  });

  it('links only to files that are there', async () => {
    const links = [...page.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, link]) => link ?? '');
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      const isThere = await access(fileURLToPath(new URL(link, DOCS))).then(
        () => true,
        () => false,
      );
      expect(isThere, link).toBe(true);
    }
  });
});
