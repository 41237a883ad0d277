import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileHashes, hashFile } from './file-hashes.ts';

// A whole second: utimes keeps no fractions of a millisecond.
const WRITTEN = new Date('2020-01-01');

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-hashes-'));
  file = join(directory, 'weights');
  await writeFile(file, Buffer.alloc(2_000_000, 1));
  await utimes(file, WRITTEN, WRITTEN);
});
afterEach(() => rm(directory, { recursive: true }));

/** Changes bytes that nobody looks at. */
async function damage(): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = 2;
  await writeFile(file, bytes);
  await utimes(file, WRITTEN, WRITTEN);
}

/** As if the damage had not changed the file's ctime: a disk does it so. */
async function hide(): Promise<void> {
  const folder = join(directory, 'file-hashes');
  const [name = ''] = await readdir(folder);
  const note = JSON.parse(await readFile(join(folder, name), 'utf8')) as object;
  const { ctimeMs } = await stat(file);
  await writeFile(join(folder, name), JSON.stringify({ ...note, ctimeMs }));
}

describe('FileHashes', () => {
  it('reads a file once, as long as it looks the same', async () => {
    const first = await new FileHashes(directory).of(file);
    expect(first).toBe(await hashFile(file));
    await damage();
    await hide();
    expect(await new FileHashes(directory).of(file)).toBe(first);
    await utimes(file, 1, 1);
    expect(await new FileHashes(directory).of(file)).not.toBe(first);
  });

  it('reads it again where its time was set back', async () => {
    const first = await new FileHashes(directory).of(file);
    await damage();
    expect(await new FileHashes(directory).of(file)).not.toBe(first);
  });

  it('finds with verify what does not show, and names the file', async () => {
    await new FileHashes(directory).of(file);
    await damage();
    await hide();
    await expect(new FileHashes(directory, { verify: true }).of(file)).rejects.toThrow(/weights is damaged/);
  });

  it('compares with what is expected whenever it reads all', async () => {
    const hashes = new FileHashes(directory);
    await expect(hashes.of(file, 'f'.repeat(64))).rejects.toThrow(
      /weights is damaged: .* f{64}; convert the model again/,
    );
    expect(await hashes.of(file, await hashFile(file))).toBe(await hashFile(file));
  });

  it('notes nothing of a small file', async () => {
    await writeFile(file, 'small');
    const first = await new FileHashes(directory).of(file);
    await damage();
    expect(await readdir(directory)).toEqual(['weights']);
    expect(first).not.toBe(await new FileHashes(directory).of(file));
  });

  it('takes a note that is broken for none', async () => {
    const first = await new FileHashes(directory).of(file);
    const [note = ''] = await readdir(join(directory, 'file-hashes'));
    await writeFile(join(directory, 'file-hashes', note), '{"bytes":');
    expect(await new FileHashes(directory).of(file)).toBe(first);
  });

  it('does without notes where the folder cannot be written', async () => {
    expect(await new FileHashes(join(file, 'nowhere')).of(file)).toBe(await hashFile(file));
  });
});
