import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PAGE = fileURLToPath(new URL('../page/', import.meta.url));
const PUBLIC = fileURLToPath(new URL('../public/', import.meta.url));

const SOURCES = filesOf(PAGE).filter((name) => !name.endsWith('.test.ts') && !name.endsWith('.json'));
const BUILT = filesOf(PUBLIC).filter((name) => !name.startsWith('.'));

describe('the page', () => {
  it.each(SOURCES)('%s asks nobody else and writes no markup from names', (name) => {
    const text = readFileSync(PAGE + name, 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
    expect(text).not.toMatch(/https?:|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/u);
  });

  it('is built of a page, a script, a stylesheet and an icon', () => {
    expect(BUILT).toEqual(expect.arrayContaining(['board.css', 'board.js', 'icon.svg', 'index.html']));
    expect(BUILT.filter((name) => name.endsWith('.js'))).toEqual(['board.js']);
    // What is loaded once, over any line: uPlot is half of it.
    expect(statSync(`${PUBLIC}board.js`).size).toBeLessThan(120_000);
  });

  it('has nothing built in that the content security policy would drop', () => {
    const page = readFileSync(`${PUBLIC}index.html`, 'utf8');
    expect(page).not.toMatch(/ style=| on\w+="|<style|<script>|https?:|data:/u);
    expect(readFileSync(`${PUBLIC}board.css`, 'utf8')).not.toMatch(/url\(|@import|https?:/u);
    expect(readFileSync(`${PUBLIC}board.js`, 'utf8')).not.toMatch(/\beval\(|new Function|innerHTML=/u);
  });

  it('names only files that are there, by addresses that hold below any path', () => {
    const page = readFileSync(`${PUBLIC}index.html`, 'utf8');
    const files = [...page.matchAll(/(?:href|src)="([^"#]+\.\w+)"/gu)].map(([, file]) => file);
    expect(files).toContain('board.js');
    for (const file of files) expect(BUILT).toContain(file);
  });

  it('has a place for each figure, chart and table that tests and people look for', () => {
    const page = readFileSync(`${PUBLIC}index.html`, 'utf8');
    const named = (attribute: string): (string | undefined)[] =>
      [...page.matchAll(new RegExp(` data-${attribute}="([^"]+)"`, 'gu'))].map(([, name]) => name);
    const charts = 'depth throughput latency time fill lengths clients-total clients-per-client speed-up';
    const tables = 'workers requests clients failures models';
    const lanes = ['interactive', 'bulk'];
    const figures = [
      'waiting-tokens clears-in oldest texts-per-second tokens-per-second'.split(' '),
      'workers-alive workers-busy clients failures cache-hits'.split(' '),
      ['waiting-texts', 'p50', 'p95'].flatMap((name) => lanes.map((lane) => `${name}-${lane}`)),
    ];
    expect(named('chart')).toEqual(charts.split(' '));
    expect(named('table')).toEqual(tables.split(' '));
    expect(named('figure')).toEqual(expect.arrayContaining(figures.flat()));
    expect(new Set(named('figure')).size).toBe(named('figure').length);
  });

  it('gives every part that assistive technology lists a name', () => {
    const page = readFileSync(`${PUBLIC}index.html`, 'utf8');
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/gu)].map(([, id]) => id));
    for (const [, id = ''] of page.matchAll(/aria-(?:labelledby|describedby)="([^"]+)"/gu)) {
      expect(ids).toContain(id);
    }
    expect([...page.matchAll(/<table/gu)].length).toBe([...page.matchAll(/<caption/gu)].length);
    for (const [tag] of page.matchAll(/<section[^>]*>/gu)) expect(tag).toContain('aria-labelledby');
  });
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(folder + name).isFile(),
  );
}
