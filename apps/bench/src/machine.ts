import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where and with what it was measured; no name of the machine and no path in it. */
export interface Setting {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGiB: number };
  readonly versions: Readonly<Record<string, string>>;
  /** `+` at its end: with changes that are not committed. */
  readonly commit: string;
  readonly command: string;
  /** ISO 8601. */
  readonly date: string;
}

const ROOT = new URL('../../../', import.meta.url);

/** @param others versions of what is no library of ours. */
export async function readSetting(
  command: string,
  libraryNames: readonly string[],
  others: Readonly<Record<string, string>>,
): Promise<Setting> {
  const libraries = await Promise.all(
    libraryNames.map(async (name) => [name, await libraryVersion(name)] as const),
  );
  return {
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    versions: { node: process.versions.node, ...others, ...Object.fromEntries(libraries) },
    commit: await readCommit(),
    command,
    date: new Date().toISOString(),
  };
}

/** Libraries stand at the root of a workspace. */
async function libraryVersion(name: string): Promise<string> {
  const file = new URL(`node_modules/${name}/package.json`, ROOT);
  const manifest = await readFile(file, 'utf8').catch(() => '{}');
  return (JSON.parse(manifest) as { version?: string }).version ?? 'unknown';
}

async function readCommit(): Promise<string> {
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('git', args, { cwd: fileURLToPath(ROOT), timeout: 10_000 });
    return stdout.trim();
  };
  try {
    const changes = await git('status', '--porcelain', '--untracked-files=no');
    return `${await git('rev-parse', '--short', 'HEAD')}${changes === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
