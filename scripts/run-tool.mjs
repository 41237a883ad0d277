import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script of an installed package with Node, in the root; its exit code. */
export function runTool(script, args = []) {
  return runNode([`node_modules/${script}`, ...args]);
}

/** Runs Node in the root; its exit code, 1 where a signal ended it. */
export function runNode(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  return status ?? 1;
}
