import { CommanderError } from 'commander';

const FAILED = 1;
const USAGE = 2;

/**
 * One line on stderr: `embedfarm: <message>`; the stack as well where EMBEDFARM_LOG_LEVEL is debug or trace.
 *
 * @returns the exit code: 2 for a wrong command line, 0 where only help was asked for, else 1.
 */
export function reportFault(thrown: unknown): number {
  // Commander has said it already.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  process.stderr.write(`embedfarm: ${oneLine(error.message)}\n`);
  if (['debug', 'trace'].includes(process.env['EMBEDFARM_LOG_LEVEL'] ?? '')) {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
  return FAILED;
}

export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}
