import { EmbeddingFarm, type EncodedChunk } from '@embedfarm/sdk';
import { execFileSync } from 'node:child_process';
import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeRows } from './write-rows.ts';

describe('rows that are written', () => {
  let dir: string;
  let farm: EmbeddingFarm;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'embedfarm-rows-'));
    farm = EmbeddingFarm.inMemory({ dimensions: 2 });
  });
  afterEach(async () => {
    await farm.close();
    await rm(dir, { recursive: true });
  });

  async function write(out: string, format: 'jsonl' | 'npy' = 'jsonl'): Promise<void> {
    const request = await farm.submit(['a', 'b']);
    const chunks: AsyncIterable<EncodedChunk> = request.chunks();
    await writeRows(chunks, { out, format, onText: () => undefined });
  }

  it('go where a link leads to, and leave the link', async () => {
    await writeFile(join(dir, 'rows'), 'old');
    await symlink(join(dir, 'rows'), join(dir, 'link'));
    await write(join(dir, 'link'));
    expect((await readFile(join(dir, 'rows'), 'utf8')).split('\n')).toHaveLength(3);
    expect((await lstat(join(dir, 'link'))).isSymbolicLink()).toBe(true);
  });

  it('go through a pipe, which stays one', async () => {
    const pipe = join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [text] = await Promise.all([readFile(pipe, 'utf8'), write(pipe)]);
    expect(text.split('\n')).toHaveLength(3);
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    await expect(write(pipe, 'npy')).rejects.toThrow('.npy needs a file');
  });

  it('say where they cannot be written to', async () => {
    await expect(write(dir)).rejects.toThrow(`cannot write ${dir}: it is a directory`);
    await expect(write(join(dir, 'none', 'rows'))).rejects.toThrow('cannot write');
  });
});
