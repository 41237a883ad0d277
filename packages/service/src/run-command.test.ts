import { describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

// Longer than a test may take: whoever waits for it fails.
const LONG = 'sleep 600';

describe('runCommand', () => {
  it('gives the exit code and all that was written', async () => {
    const result = await runCommand('sh', ['-c', 'echo out; echo err >&2; exit 3'], { timeoutMs: 10_000 });
    expect(result.exitCode).toBe(3);
    expect(result.output.split('\n').toSorted()).toEqual(['', 'err', 'out']);
  });

  it('gives 127 for a command that is not there', async () => {
    expect(await runCommand('/no/such/command', [], { timeoutMs: 10_000 })).toMatchObject({ exitCode: 127 });
  });

  it.each([
    ['what the command started', `${LONG}; echo late`],
    ['a command that ignores SIGTERM', `trap '' TERM; ${LONG}; ${LONG}`],
  ])('ends %s at the deadline', async (_, script) => {
    const { exitCode, output } = await runCommand('sh', ['-c', script], { timeoutMs: 50 });
    expect(exitCode).not.toBe(0);
    expect(output).not.toContain('late');
  });
});
