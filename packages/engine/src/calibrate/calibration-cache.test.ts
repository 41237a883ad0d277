import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CalibrationCache } from './calibration-cache.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calibration-cache-'));
});
afterEach(() => rm(folder, { recursive: true }));

const MEASURED = new Map([['cpu/0', { tokenBudget: 256, tokensPerSecond: 7_700 }]]);

describe('CalibrationCache', () => {
  it('gives back what was written for the same facts, and nothing for others', async () => {
    await new CalibrationCache(folder, { fingerprint: 'a' }).write(MEASURED);
    expect(await new CalibrationCache(folder, { fingerprint: 'a' }).read()).toEqual(MEASURED);
    expect(await new CalibrationCache(folder, { fingerprint: 'b' }).read()).toBeUndefined();
  });

  it.each([
    '',
    '{"devices":{"cpu/0":',
    '{"devices":{"cpu/0":{"tokenBudget":-5,"tokensPerSecond":1}}}',
    'null',
  ])('takes a file that holds %j for none', async (content) => {
    const cache = new CalibrationCache(folder, 1);
    await cache.write(MEASURED);
    const [file = ''] = await readdir(join(folder, 'calibration'));
    await writeFile(join(folder, 'calibration', file), content);
    expect(await cache.read()).toBeUndefined();
  });

  it('leaves no half file, and does without a folder that cannot be made', async () => {
    const cache = new CalibrationCache(folder, 1);
    await Promise.all([cache.write(MEASURED), cache.write(MEASURED)]);
    expect(await readdir(join(folder, 'calibration'))).toHaveLength(1);
    await writeFile(join(folder, 'file'), '');
    const nowhere = new CalibrationCache(join(folder, 'file'), 1);
    await nowhere.write(MEASURED);
    expect(await nowhere.read()).toBeUndefined();
  });
});
