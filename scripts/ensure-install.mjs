import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run-tool.mjs';

const LOCK = join(ROOT, 'package-lock.json');
// npm writes this one at the end of every install.
const INSTALLED = join(ROOT, 'node_modules', '.package-lock.json');
const STAMP = join(ROOT, 'node_modules', '.embedfarm-lock-hash');

/** `npm ci`, when node_modules is missing or older than package-lock.json. Ends the process when it fails. */
export function ensureInstall() {
  const hash = createHash('sha256').update(readFileSync(LOCK)).digest('hex');
  if (isInstalled(hash)) return;
  console.log('Installing dependencies (npm ci) …');
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env['npm_execpath'];
  const { status } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: ROOT, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error(`npm ci failed (exit ${status ?? 'by a signal'}).`);
    process.exit(status ?? 1);
  }
  writeFileSync(STAMP, hash);
}

function isInstalled(hash) {
  if (!existsSync(INSTALLED)) return false;
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return true;
  return statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs;
}
