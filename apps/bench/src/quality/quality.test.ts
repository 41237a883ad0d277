import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '@embedfarm/engine/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRows } from '../compare-rows.ts';
import { hubModel } from '../engine/hub-model.ts';
import { parseQualityArgs, type QualityOptions } from './quality-options.ts';
import { parseReferenceVectors } from './reference-vectors.ts';
import { runQuality } from './run-quality.ts';
import { parseCsv, parseScoredPairs } from './scored-pairs.ts';
import { spearman } from './spearman.ts';

describe('compareRows', () => {
  it('tells the least and the mean cosine, and the largest difference', () => {
    const { minCosine, meanCosine, maxDifference } = compareRows(
      [
        [1, 0],
        [0, 2],
      ],
      [
        [1, 0],
        [1, 1],
      ],
    );
    expect(minCosine).toBeCloseTo(Math.SQRT1_2);
    expect(meanCosine).toBeCloseTo((1 + Math.SQRT1_2) / 2);
    expect(maxDifference).toBe(1);
  });

  it('is no number where a row is missing or short, and compares only what the first rows have', () => {
    expect(compareRows([[1], [1]], [[1]]).minCosine).toBeNaN();
    expect(compareRows([[1, 2]], [[1]]).minCosine).toBeNaN();
    expect(compareRows([[1, 2]], [[1, 2, 3]])).toEqual({ minCosine: 1, meanCosine: 1, maxDifference: 0 });
  });
});

describe('spearman', () => {
  it('is 1 for the same order, -1 for the reverse, and shares ranks between equals', () => {
    expect(spearman([1, 2, 3], [10, 20, 900])).toBeCloseTo(1);
    expect(spearman([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1);
    // scipy.stats.spearmanr([1, 2, 2, 3, 5], [2, 1, 4, 3, 9])
    expect(spearman([1, 2, 2, 3, 5], [2, 1, 4, 3, 9])).toBeCloseTo(0.6668859288553503);
  });
});

describe('parseScoredPairs', () => {
  it('reads quotes, commas and line ends inside of fields', () => {
    expect(parseScoredPairs('"a, ""b""",c,1.5\r\n"two\nlines",d,0\n')).toEqual([
      { texts: ['a, "b"', 'c'], score: 1.5 },
      { texts: ['two\nlines', 'd'], score: 0 },
    ]);
    expect(parseCsv('a,,\n,b,c')).toEqual([
      ['a', '', ''],
      ['', 'b', 'c'],
    ]);
  });

  it.each(['a,b', 'a,b,high', 'a,b,1,2', 'a,b,'])('refuses %s, and names the record', (line) => {
    expect(() => parseScoredPairs(`x,y,1\n${line}`)).toThrow('record 2');
  });
});

describe('parseReferenceVectors', () => {
  it.each(['{"text":"a"}', 'no json', '{"text":"a","embedding":["1"]}'])(
    'refuses %s, and names the line',
    (line) => {
      expect(() => parseReferenceVectors(`{"text":"b","embedding":[1]}\n${line}\n`)).toThrow('line 2');
    },
  );
});

describe('npm run bench -- quality', () => {
  let dir: string;
  let model: string;
  const quality = (...args: string[]): Promise<string> => {
    const options = parseQualityArgs([
      '--model',
      model,
      '--devices',
      'cpu:1',
      '--cache-dir',
      dir,
      ...args,
    ]) as QualityOptions;
    return runQuality(options, { signal: new AbortController().signal, say: () => undefined });
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'embedfarm-quality-'));
    model = await hubModel('tiny', dir);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('sets vectors beside a reference, and scores beside cosines', async () => {
    const texts = ['one text', 'another one', 'a third'];
    await using engine = await Engine.open({ model, devices: 'cpu:1', cacheDir: dir });
    const { values, dimensions } = await engine.encode(texts);
    const lines = texts.map((text, row) => {
      const embedding = Array.from(values.subarray(row * dimensions, (row + 1) * dimensions));
      return JSON.stringify({ text, embedding });
    });
    await writeFile(join(dir, 'reference.jsonl'), `${lines.join('\n')}\n`);
    await writeFile(join(dir, 'pairs.csv'), 'one text,one text,5\none text,a third,0\n');
    const output = await quality(
      '--reference',
      join(dir, 'reference.jsonl'),
      '--sts',
      join(dir, 'pairs.csv'),
    );
    expect(output).toContain('hub-tiny-');
    expect(output).toContain('| least cosine to 3 reference vectors | 1.0000000 |');
    expect(output).toMatch(
      /\| largest difference to 3 reference vectors \| \d\.\d\de-[789] \||\| 0\.00e\+0 \|/,
    );
    expect(output).toContain('| Spearman of 2 scored pairs | 1.0000 |');
  });

  it('refuses a reference of another model, a file that is not there, and nothing to compare', async () => {
    const long = JSON.stringify({ text: 'a', embedding: Array.from({ length: 200 }, () => 1) });
    await writeFile(join(dir, 'long.jsonl'), long);
    await expect(quality('--reference', join(dir, 'long.jsonl'))).rejects.toThrow('more than 128 numbers');
    await expect(quality('--sts', join(dir, 'nothing.csv'))).rejects.toThrow('cannot read');
    await expect(quality()).rejects.toThrow('--reference, --texts or --sts');
  });
});
