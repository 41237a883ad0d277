import { fileURLToPath } from 'node:url';
import { runNode, runTool } from './run-tool.mjs';

/** Compiles what has changed. Ends the process when it does not compile. */
export function build() {
  const exitCode = tryBuild();
  if (exitCode !== 0) process.exit(exitCode);
}

/** The packages, and the page that the dashboard serves; the exit code. */
export function tryBuild() {
  return runTool('typescript/bin/tsc', ['-b']) || runNode(['apps/dashboard/build-page.mjs']);
}

// node scripts/build.mjs
if (process.argv[1] === fileURLToPath(import.meta.url)) build();
