import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { FarmError } from '@embedfarm/contract';

/** Measured against, and nothing of ours needs it: 480 MB with its parts. */
const RIVAL = {
  name: 'transformers.js',
  package: '@huggingface/transformers',
  version: '4.3.1',
} as const;

/** The parts that decide its speed. */
const PARTS = ['onnxruntime-node', '@huggingface/tokenizers'] as const;
const INSTALL_TIMEOUT_MS = 600_000;

export interface InstalledRival {
  /** Its module, as a file URL. */
  readonly library: string;
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * transformers.js in a folder of its own in `cacheDir`, installed by the first run. No install script runs:
 * that of onnxruntime-node would download CUDA.
 *
 * @throws FarmError `internal` with what npm said.
 */
export async function installRival(cacheDir: string, say: (line: string) => void): Promise<InstalledRival> {
  const folder = resolve(cacheDir, `${RIVAL.name}-${RIVAL.version}`);
  const modules = join(folder, 'node_modules');
  const packageFolder = join(modules, RIVAL.package);
  if ((await versionOf(packageFolder)) !== RIVAL.version) {
    say(`installing ${RIVAL.package} ${RIVAL.version} into ${folder}`);
    await install(folder);
  }
  const parts = PARTS.map(
    async (name) => [`${RIVAL.name}'s ${name}`, (await versionOf(join(modules, name))) ?? 'unknown'] as const,
  );
  return {
    library: pathToFileURL(join(packageFolder, 'dist/transformers.node.mjs')).href,
    versions: { [RIVAL.name]: RIVAL.version, ...Object.fromEntries(await Promise.all(parts)) },
  };
}

async function install(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = { private: true, dependencies: { [RIVAL.package]: RIVAL.version } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  // Inside of another project's script npm would take that project's folder.
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    await promisify(execFile)('npm', args, {
      cwd: folder,
      timeout: INSTALL_TIMEOUT_MS,
      shell: process.platform === 'win32',
    });
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string };
    throw new FarmError('internal', `npm could not install ${RIVAL.package}: ${stderr.trim()}`, { cause });
  }
}

async function versionOf(packageFolder: string): Promise<string | undefined> {
  const manifest = await readFile(join(packageFolder, 'package.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(manifest) as { version?: string }).version;
}
