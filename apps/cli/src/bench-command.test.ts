import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { COMMAND } from './testing/command-line.ts';

const PROGRAM = fileURLToPath(new URL('../dist/program.js', import.meta.url));
const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { timeout: 60_000 });

describe('embedfarm bench', () => {
  it.each([['by-clients', '--help'], []])('shows how it is used: %j', async (...args) => {
    const { stdout } = await run(COMMAND, 'bench', ...args);
    expect(stdout).toContain('by-layer');
    expect(stdout).toContain('--store-in URL');
  });

  it('leaves its flags to the benchmark, which names what is wrong with them', async () => {
    await expect(run(COMMAND, 'bench', 'by-length', '--rounds', 'many')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/rounds/),
    });
  });

  it('loads nothing of the bench for any other command', async () => {
    // Resolved modules are told by a hook, in a process that has loaded all commands.
    const hook = `export async function resolve(specifier, context, next) {
      const found = await next(specifier, context);
      if (found.url.includes('/apps/bench/')) throw new Error('loaded ' + found.url);
      return found;
    }`;
    const script = `import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
      const { createProgram } = await import(${JSON.stringify(PROGRAM)});
      const bench = createProgram().commands.find((command) => command.name() === 'bench');
      console.log('all are loaded');
      await bench.parseAsync(['--help'], { from: 'user' }).catch((fault) => console.log(fault.message));`;
    const { stdout } = await run('--input-type=module', '--eval', script);
    expect(stdout).toMatch(/^all are loaded\nloaded file:.*\/apps\/bench\/dist\/bench-main\.js\n$/);
  });
});
