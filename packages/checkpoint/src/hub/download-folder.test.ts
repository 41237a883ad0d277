import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { DownloadFolder, removeAbandoned } from './download-folder.ts';

const COMMIT = 'c'.repeat(40);

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'embedfarm-folder-'));
});
afterEach(() => rm(parent, { recursive: true }));

async function open(commit = COMMIT): Promise<DownloadFolder> {
  const folder = await DownloadFolder.open(parent, commit);
  onTestFinished(() => folder.close());
  return folder;
}

it('Two that download the same have a folder each, and leave each other alone', async () => {
  const [one, two] = await Promise.all([open(), open()]);
  expect(one.path).not.toBe(two.path);
  await removeAbandoned(parent, COMMIT);
  expect(await readdir(parent)).toHaveLength(2);
});

it('A folder that was closed is taken over by the next, by one alone, for the same commit', async () => {
  const first = await open();
  await writeFile(join(first.path, 'left'), '');
  await first.close();
  const other = await open('d'.repeat(40));
  expect(await readdir(other.path)).toEqual([]);
  const both = await Promise.all([open(), open()]);
  expect(both.filter(({ path }) => existsSync(join(path, 'left')))).toHaveLength(1);
  expect(existsSync(first.path)).toBe(false);
});

it('A folder is abandoned where its process is dead, or its heartbeat is a minute old', async () => {
  const dead = spawnSync(process.execPath, ['--version']).pid;
  const mine = await open();
  const ofDead = mine.path.replace(`-${process.pid}-`, `-${dead}-`);
  const ofOtherHost = join(parent, `${COMMIT}.00000000-${dead}-00000000.part`);
  await rename(mine.path, ofDead);
  await mkdir(ofOtherHost);
  const next = await open();
  expect(await readdir(parent)).toEqual([basename(ofOtherHost), basename(next.path)].toSorted());
  const longAgo = new Date(Date.now() - 61_000);
  await utimes(ofOtherHost, longAgo, longAgo);
  await removeAbandoned(parent, COMMIT);
  expect(await readdir(parent)).toEqual([basename(next.path)]);
});
