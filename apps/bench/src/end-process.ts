import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** SIGTERM, and SIGKILL where it has not ended after `timeoutMs`. At once where it has ended, or never began. */
export async function endProcess(child: ChildProcess, timeoutMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit').catch(() => undefined);
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await exit;
  clearTimeout(forced);
}
