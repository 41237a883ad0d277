import { describe, expect, it } from 'vitest';
import { markdownTable } from './markdown-table.ts';
import { alignTable, replaceMarkedBlock } from './marked-block.ts';

describe('replaceMarkedBlock', () => {
  const page = 'before\n\n<!-- reach -->\n\nold\n\n<!-- end of reach -->\n\nafter\n';

  it('replaces what stands between the marks, and nothing else', () => {
    const changed = page.replace('old', 'new');
    expect(replaceMarkedBlock(page, 'reach', 'new')).toBe(changed);
    expect(replaceMarkedBlock(changed, 'reach', 'new')).toBe(changed);
  });

  it('leaves a page without the marks alone', () => {
    expect(replaceMarkedBlock(page, 'speed', 'new')).toBe(page);
  });
});

describe('alignTable', () => {
  it('makes columns as wide as their widest cell, numbers to the right', () => {
    const table = markdownTable(
      ['what', 'n'],
      [
        ['a ÷ b', '1.00'],
        ['c', '20'],
      ],
    );
    expect(alignTable(table)).toBe(
      ['| what  |    n |', '| ----- | ---: |', '| a ÷ b | 1.00 |', '| c     |   20 |'].join('\n'),
    );
  });
});
