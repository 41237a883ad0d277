import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { KeyRing, readApiKeys } from './api-keys.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

it('finds whose a key is, and tells a wrong one from none', () => {
  const ring = new KeyRing([
    { name: 'web', sha256: sha256('one') },
    { name: 'import', sha256: sha256('two') },
  ]);
  expect(ring.find('two').name).toBe('import');
  expect(() => ring.find('three')).toThrow('[unauthenticated] the key is not known');
  expect(() => ring.find(undefined)).toThrow('[unauthenticated] a key is needed');
  // The hash alone opens nothing.
  expect(() => ring.find(sha256('one'))).toThrow('not known');
});

it('reads keys from a file or as they are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'embedfarm-keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const keys = [{ name: 'web', sha256: sha256('one'), textsPerSecond: 100, weight: 2 }];
  const path = join(folder, 'keys.json');
  await writeFile(path, JSON.stringify(keys));
  expect(readApiKeys(path)).toEqual(keys);
  expect(readApiKeys(` ${JSON.stringify(keys)}`)).toEqual(keys);
});

it.each([
  ['[', 'no JSON'],
  ['[]', 'keys of the gateway'],
  ['nowhere.json', 'nowhere.json: cannot be read'],
  [JSON.stringify([{ name: 'web', sha256: 'secret' }]), 'must be the SHA-256 of a key'],
  [JSON.stringify([{ name: 'web', sha256: sha256('a'), weight: 0 }]), 'at [0].weight'],
  [
    JSON.stringify([
      { name: 'web', sha256: sha256('a') },
      { name: 'web', sha256: sha256('b') },
    ]),
    'two keys have one name',
  ],
  [
    JSON.stringify([
      { name: 'a', sha256: sha256('a') },
      { name: 'b', sha256: sha256('a') },
    ]),
    'two keys are the same',
  ],
])('refuses keys that are none: %#', (source, fault) => {
  expect(() => readApiKeys(source)).toThrow(fault);
  expect(() => readApiKeys(source)).not.toThrow('secret');
});
