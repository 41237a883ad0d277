import { spawn } from 'node:child_process';

/** How a command ended. */
export interface CommandResult {
  /** 0 where it went well; 127 where it could not be started; 128 where a signal or the deadline ended it. */
  readonly exitCode: number;
  /** stdout and stderr together. */
  readonly output: string;
}

/** Runs a command to its end, or kills it at the deadline. Never throws. */
export function runCommand(
  command: string,
  args: readonly string[],
  { timeoutMs, env }: { timeoutMs: number; env?: NodeJS.ProcessEnv },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      timeout: timeoutMs,
    });
    let output = '';
    const keep = (bytes: Buffer) => (output += bytes.toString('utf8'));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ exitCode: 127, output: error.message }));
    child.once('close', (code) => resolve({ exitCode: code ?? 128, output }));
  });
}
