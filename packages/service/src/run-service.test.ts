import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

const built = (name: string) => JSON.stringify(new URL(`../dist/${name}.js`, import.meta.url).href);

/** A process that runs this service; `print` lines go to stdout. */
function runScript(service: string, stdio: 'pipe' | 'ipc' = 'pipe'): ChildProcess {
  const script = `
    const { runService } = await import(${built('run-service')});
    const { createLogger } = await import(${built('logger')});
    const logger = createLogger({ name: 'test' });
    const print = (line) => process.stdout.write(line + '\\n');
    const held = setInterval(() => {}, 1e6);
    try {
      process.exitCode = await runService(${service}, { logger, graceMs: 1234 });
    } catch (error) {
      print('threw ' + error.message);
      process.exitCode = 1;
    }
    clearInterval(held);
    if (process.connected) process.disconnect();`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe', stdio],
  });
}

/** Waits until a line was printed. */
async function printed(child: ChildProcess, line: string): Promise<void> {
  let output = '';
  for await (const bytes of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    output += String(bytes);
    if (output.includes(line)) return;
  }
  throw new Error(`the process ended with ${JSON.stringify(output)}`);
}

const READY =
  "async () => { setTimeout(() => print('ready')); return { close: async ({ graceMs }) => print('closed ' + graceMs) }; }";

describe('runService', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'closes once on %s with its grace time, and exits 0',
    async (signal) => {
      const child = runScript(READY);
      const exit = once(child, 'exit');
      await printed(child, 'ready');
      child.kill(signal);
      await printed(child, 'closed 1234');
      expect(await exit).toEqual([0, null]);
    },
  );

  it('leaves with 1 on a second signal', async () => {
    const child = runScript(
      "async () => { setTimeout(() => print('ready')); return { close: () => { print('closing'); return new Promise(() => {}); } }; }",
    );
    const exit = once(child, 'exit');
    await printed(child, 'ready');
    child.kill('SIGTERM');
    await printed(child, 'closing');
    // Signals close together are one Ctrl-C; sooner or later one of these is a second.
    const killAgain = () => {
      child.kill('SIGTERM');
      return child.exitCode;
    };
    await expect.poll(killAgain, { timeout: 10_000 }).toBe(1);
    expect(await exit).toEqual([1, null]);
  });

  it('takes two signals at once, as npm sends them, for one', async () => {
    const child = runScript(
      "async () => { setTimeout(() => print('ready')); return { close: () => new Promise((resolve) => setTimeout(resolve, 100)) }; }",
    );
    const exit = once(child, 'exit');
    await printed(child, 'ready');
    child.kill('SIGTERM');
    child.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
  });

  it('stops a start that is still going on', async () => {
    const child = runScript(
      "(signal) => { print('starting'); return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))); }",
    );
    const exit = once(child, 'exit');
    await printed(child, 'starting');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  it('closes a service that ends badly by itself, and throws', async () => {
    const child = runScript(
      "async () => ({ closed: Promise.reject(new Error('other weights')), close: async () => print('closed') })",
    );
    const exit = once(child, 'exit');
    await printed(child, 'closed');
    await printed(child, 'threw other weights');
    expect(await exit).toEqual([1, null]);
  });

  it('throws when it cannot be closed', async () => {
    const child = runScript(
      "async () => { setTimeout(() => print('ready')); return { close: () => Promise.reject(new Error('stuck')) }; }",
    );
    const exit = once(child, 'exit');
    await printed(child, 'ready');
    child.kill('SIGTERM');
    await printed(child, 'threw stuck');
    expect(await exit).toEqual([1, null]);
  });

  it('exits 1 on a rejection that nobody caught', async () => {
    const child = runScript(
      "async () => { setTimeout(() => { Promise.reject(new Error('lost')); }); return { close: async () => {} }; }",
    );
    expect(await once(child, 'exit')).toEqual([1, null]);
  });

  it('closes when the process that started it is gone', async () => {
    const child = runScript(READY, 'ipc');
    const exit = once(child, 'exit');
    await printed(child, 'ready');
    child.disconnect();
    expect(await exit).toEqual([0, null]);
  });
});
