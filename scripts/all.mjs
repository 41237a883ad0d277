// npm run all: what CI runs. Every check runs, whatever the others say; the last line counts the tests.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryBuild } from './build.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { runNode, runTool } from './run-tool.mjs';

const dir = mkdtempSync(join(tmpdir(), 'embedfarm-all-'));
const report = join(dir, 'tests.json');

/** The type-aware linter reads what the build writes, so the build comes first. */
const CHECKS = {
  build: tryBuild,
  lint: () => runTool('oxlint/bin/oxlint', ['--type-aware', '--deny-warnings']),
  format: () => runTool('oxfmt/bin/oxfmt', ['--check', '.']),
  typecheck: () =>
    runTool('typescript/bin/tsc', ['-p', 'tsconfig.tests.json']) ||
    runTool('typescript/bin/tsc', ['-p', 'apps/dashboard/page']),
  test: () =>
    runNode(['scripts/test.mjs', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]),
};

ensureInstall();
const failed = [];
for (const [name, check] of Object.entries(CHECKS)) {
  console.log(`\n── ${name}`);
  if (check() !== 0) failed.push(name);
}
console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}.`);
console.log(countTests());
rmSync(dir, { recursive: true, force: true });
process.exitCode = failed.length === 0 ? 0 : 1;

function countTests() {
  try {
    const { numPassedTests, numFailedTests, success } = JSON.parse(readFileSync(report, 'utf8'));
    // A test file that does not even load has no test that could fail.
    const lost = success || numFailedTests > 0 ? 0 : 1;
    return `${numPassedTests} passed, ${numFailedTests + lost} failed`;
  } catch {
    return '0 passed, 1 failed';
  }
}
