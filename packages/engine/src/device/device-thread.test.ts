import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** What a module imports when it runs; types are gone by then. */
function importsOf(file: URL): string[] {
  const source = readFileSync(file, 'utf8');
  const statements = source.matchAll(/^import (?!type\b)[^;]*?from '([^']+)';|\bimport\('([^']+)'\)/gms);
  return [...statements].map(([, from = '', dynamic]) => dynamic ?? from);
}

function reachable(file: URL, seen = new Map<string, readonly string[]>()): Map<string, readonly string[]> {
  const imports = importsOf(file);
  seen.set(file.pathname, imports);
  for (const name of imports.filter((from) => from.startsWith('.'))) {
    const next = new URL(name, file);
    if (!seen.has(next.pathname)) reachable(next, seen);
  }
  return seen;
}

// A schema library takes 8 MB in every thread, and nothing is parsed there.
it('loads nothing in the thread of a device that a run does not need', () => {
  const modules = reachable(new URL('device-thread.ts', import.meta.url));
  expect(modules.size).toBeGreaterThan(8);
  const packages = [...modules.values()].flat().filter((name) => !name.startsWith('.'));
  expect([...new Set(packages)].toSorted()).toEqual([
    '@embedfarm/checkpoint/slot-multiple',
    '@embedfarm/contract/farm-error',
    'node:worker_threads',
    'onnxruntime-node',
  ]);
});
