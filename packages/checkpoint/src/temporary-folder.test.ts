import { access, mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inTemporaryFolder } from './temporary-folder.ts';

let parent: string;
let target: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'embedfarm-temporary-'));
  target = join(parent, 'model');
});
afterEach(() => rm(parent, { recursive: true }));

describe('a temporary folder', () => {
  it('is beside the target, and gone where it was not renamed', async () => {
    await inTemporaryFolder(target, async (folder) => {
      await writeFile(join(folder, 'half'), '');
      expect(await readdir(parent)).toEqual([expect.stringMatching(/^\.model\..*\.tmp$/)]);
    });
    expect(await readdir(parent)).toEqual([]);
  });

  it('becomes the target', async () => {
    await inTemporaryFolder(target, (folder) => rename(folder, target));
    expect(await readdir(parent)).toEqual(['model']);
  });

  it('takes away what killed processes left, and nothing that is somebody’s', async () => {
    let left = '';
    await inTemporaryFolder(target, (folder) => Promise.resolve((left = folder)));
    await mkdir(left);
    await writeFile(join(left, 'model.onnx.data'), 'half a model');
    await mkdir(join(parent, '.somebody.tmp'));
    await utimes(join(parent, '.somebody.tmp'), 1, 1);
    // A process that is at work now.
    await inTemporaryFolder(target, () => access(left));
    await utimes(left, 1, 1);
    await inTemporaryFolder(target, async () => {
      await expect(access(left)).rejects.toThrow('ENOENT');
    });
    expect(await readdir(parent)).toEqual(['.somebody.tmp']);
  });

  it('that the disk does not take is named as the target', async () => {
    await writeFile(target, 'a file where a folder should be');
    await expect(inTemporaryFolder(join(target, 'inside'), () => Promise.resolve())).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(`${join(target, 'inside')} cannot be kept: ENOTDIR`),
    });
  });

  it('leaves an error that is none of the disk as it is', async () => {
    const error = new TypeError('a bug');
    await expect(inTemporaryFolder(target, () => Promise.reject(error))).rejects.toBe(error);
  });
});
