import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The house: who may stand on whom. A new edge is a decision, not an accident. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'packages/contract': [],
  'packages/checkpoint': ['contract'],
  'packages/engine': ['contract', 'checkpoint'],
  'packages/farm': ['contract'],
  'packages/sdk': ['contract', 'farm'],
  'packages/service': ['contract'],
  'packages/testkit': ['contract', 'checkpoint', 'service'],
  'apps/worker': ['contract', 'engine', 'farm', 'service'],
  'apps/dashboard': ['contract', 'farm', 'service'],
  'apps/gateway': ['contract', 'farm', 'sdk', 'service'],
  'apps/bench': ['contract', 'checkpoint', 'engine', 'farm', 'sdk', 'service', 'testkit', 'worker'],
  'apps/cli': ['contract', 'worker', 'dashboard', 'gateway', 'bench', 'sdk', 'checkpoint', 'service'],
};
const MAX_LINES = 300;

const floors = Object.keys(MAY_IMPORT);

describe('the house', () => {
  it('has no floor that is not in the plan', () => {
    const found = ['packages', 'apps'].flatMap((top) =>
      readdirSync(join(ROOT, top), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${top}/${name}`),
    );
    expect(new Set(found)).toEqual(new Set(floors));
  });

  it.each(floors)('%s stands only on the floors below it', (floor) => {
    const allowed = (MAY_IMPORT[floor] ?? []).map((name) => `@embedfarm/${name}`);
    const own = Object.keys(manifest(floor).dependencies ?? {}).filter((name) =>
      name.startsWith('@embedfarm/'),
    );
    expect(allowed).toEqual(expect.arrayContaining(own));
  });

  it.each(floors)('%s imports only what its package.json names', (floor) => {
    const { dependencies = {}, devDependencies = {} } = manifest(floor);
    for (const file of sources(floor)) {
      const named =
        file.endsWith('.test.ts') || file.includes('/src/testing/')
          ? { ...dependencies, ...devDependencies, ...ROOT_TOOLS }
          : dependencies;
      const foreign = importsOf(file).filter((name) => !Object.hasOwn(named, name));
      expect(foreign, file).toEqual([]);
    }
  });

  it.each(['packages/contract', 'packages/farm', 'packages/sdk', 'apps/dashboard'])(
    '%s never reaches onnxruntime-node or tokenizers, so that it installs anywhere',
    (floor) => {
      const reached = reach(floor);
      expect(reached).not.toContain('onnxruntime-node');
      expect(reached).not.toContain('tokenizers');
    },
  );

  it('pins every version exactly', () => {
    for (const floor of [...floors, '.']) {
      const { dependencies = {}, devDependencies = {} } = manifest(floor);
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        expect(version, `${name} in ${floor}`).toMatch(/^\d+\.\d+\.\d+$/);
      }
    }
  });

  it('keeps its files short, and never re-exports a whole file', () => {
    for (const file of floors.flatMap(sources)) {
      const text = readFileSync(file, 'utf8');
      expect(text.split('\n').length, file).toBeLessThanOrEqual(MAX_LINES + 1);
      expect(text, file).not.toMatch(/^export \* /m);
    }
  });
});

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

/** What tests use from the root. */
const ROOT_TOOLS = manifest('.').devDependencies ?? {};

function manifest(floor: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, floor, 'package.json'), 'utf8')) as Manifest;
}

function sources(floor: string): string[] {
  return readdirSync(join(ROOT, floor, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(ROOT, floor, 'src', name));
}

/** Packages a file imports, by name, Node's own left out. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const specifiers = [
    ...text.matchAll(/(?:^(?:import|export|}).* from |^import |\bimport\()['"]([\w@.][^'"]*)['"]/gm),
  ];
  return specifiers
    .map(([, specifier]) => specifier ?? '')
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map((specifier) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

/** All packages a floor brings along through floors. */
function reach(floor: string): string[] {
  const own = Object.keys(manifest(floor).dependencies ?? {});
  return own.flatMap((name) => {
    const below = floors.find((other) => `@embedfarm/${other.split('/')[1]}` === name);
    return below === undefined ? [name] : [name, ...reach(below)];
  });
}
