import { runTool } from './run-tool.mjs';

/** Compiles what has changed. Ends the process when it does not compile. */
export function build() {
  const exitCode = runTool('typescript/bin/tsc', ['-b']);
  if (exitCode !== 0) process.exit(exitCode);
}
