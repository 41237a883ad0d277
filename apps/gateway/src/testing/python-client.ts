import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const FOLDER = join(ROOT, '.embedfarm', 'bert-serving-client-1.10.0');
const PACKAGES = ['bert-serving-client==1.10.0', 'pyzmq==26.4.0', 'numpy<3'];
const INSTALL_LIMIT_MS = 120_000;
const RUN_LIMIT_MS = 120_000;

export interface PythonRun {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * Fetches the original client unless it is there; 30 MB, and nothing is installed for others.
 *
 * @returns why there is none: no Python 3 with pip, or no way to its packages.
 */
export async function ensurePythonClient(): Promise<string | undefined> {
  if (existsSync(FOLDER)) return undefined;
  mkdirSync(join(ROOT, '.embedfarm'), { recursive: true });
  const work = mkdtempSync(`${FOLDER}.`);
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', work];
    const { code, errors } = await run([...pip, ...PACKAGES], {}, INSTALL_LIMIT_MS);
    if (code !== 0) return `pip gives no ${PACKAGES[0]}: ${errors.trim().split('\n').at(-1)}`;
    // Another process may have been faster.
    if (!existsSync(FOLDER)) renameSync(work, FOLDER);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Runs a script with the original client at hand. */
export async function runPython(script: URL, ...args: (string | number)[]): Promise<PythonRun> {
  const env = { PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' };
  return await run([fileURLToPath(script), ...args.map(String)], env, RUN_LIMIT_MS);
}

async function run(args: string[], env: NodeJS.ProcessEnv, limitMs: number): Promise<PythonRun> {
  const child = spawn('python3', args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  return await new Promise((resolve) => {
    child.on('error', (fault) => resolve({ code: null, output, errors: fault.message }));
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}
