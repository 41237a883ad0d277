import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { runCommand } from '@embedfarm/service/run-command';
import { expect, it } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs one test file of its own with vitest. */
async function runTestFile(body: string) {
  // Inside the repository, so that its packages are found.
  const dir = await mkdtemp(join(here, '.open-handles-'));
  try {
    const file = join(dir, 'inner.test.ts');
    await writeFile(
      file,
      `import { createServer } from 'node:net';
import { it } from 'vitest';
import { checkOpenHandles } from '${join(here, 'open-handles.ts')}';
checkOpenHandles();
it('inner', async () => { ${body} });`,
    );
    await writeFile(
      join(dir, 'vitest.config.mjs'),
      "export default { test: { include: ['inner.test.ts'], pool: 'forks' } };",
    );
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    return await runCommand(process.execPath, [vitest, 'run', '--root', dir], { timeoutMs: 60_000 });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

it('passes a file that closes what it opens', async () => {
  const { exitCode, output } = await runTestFile(
    'const s = createServer(); await new Promise((r) => s.listen(0, r)); await new Promise((r) => s.close(r));',
  );
  expect(output).toContain('1 passed');
  expect(exitCode).toBe(0);
});

it('fails a file that leaves a server and a timer', async () => {
  const { exitCode, output } = await runTestFile(
    'const s = createServer(); await new Promise((r) => s.listen(0, r)); setInterval(() => {}, 1e6);',
  );
  expect(output).toContain('still open after the tests');
  expect(output).toContain('TCPServerWrap');
  expect(output).toContain('Timeout');
  expect(exitCode).toBe(1);
});
