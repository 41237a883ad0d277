import { spawn, type ChildProcess } from 'node:child_process';

// After SIGTERM; then SIGKILL.
const STOP_GRACE_MS = 2_000;

/** How a command ended. */
export interface CommandResult {
  /** 0 where it went well; 127 where it could not be started; 128 where a signal or the deadline ended it. */
  readonly exitCode: number;
  /** stdout and stderr together. */
  readonly output: string;
}

/** Runs a command to its end, or ends it and all that it started at the deadline. Never throws. */
export function runCommand(
  command: string,
  args: readonly string[],
  { timeoutMs, env }: { timeoutMs: number; env?: NodeJS.ProcessEnv },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      // A process group: what the command started holds the pipes open, and would outlive it.
      detached: true,
    });
    const stop = setTimeout(() => endGroup(child, 'SIGTERM'), timeoutMs);
    const kill = setTimeout(() => endGroup(child, 'SIGKILL'), timeoutMs + STOP_GRACE_MS);
    const settle = (result: CommandResult) => {
      clearTimeout(stop);
      clearTimeout(kill);
      resolve(result);
    };
    let output = '';
    const keep = (bytes: Buffer) => (output += bytes.toString('utf8'));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => settle({ exitCode: 127, output: error.message }));
    child.once('close', (code) => settle({ exitCode: code ?? 128, output }));
  });
}

function endGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // All of it has ended.
  }
}
