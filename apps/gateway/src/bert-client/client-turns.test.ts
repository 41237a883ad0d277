import { expect, it } from 'vitest';
import { ClientTurns } from './client-turns.ts';

const { signal } = new AbortController();

/** Calls that are held until they are let go, in the order they began. */
class HeldCalls {
  readonly begun: string[] = [];
  readonly ended: Promise<unknown>[] = [];
  readonly #release = new Map<string, () => void>();

  start(turns: ClientTurns, name: string, texts: number, lane: 'bulk' | 'interactive' = 'bulk'): void {
    const client = name.charAt(0);
    this.ended.push(
      turns.run({ client, lane, order: Number(name.charAt(1)), texts, signal }, async () => {
        this.begun.push(name);
        await new Promise<void>((resolve) => this.#release.set(name, resolve));
      }),
    );
  }

  async end(name: string): Promise<void> {
    await settled();
    this.#release.get(name)?.();
    await settled();
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

it('lets clients take turns, each with what it asked first', async () => {
  const turns = new ClientTurns(() => true);
  const calls = new HeldCalls();
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2']) calls.start(turns, name, 8_192);
  await settled();
  expect(calls.begun).toEqual(['a1', 'a2']);
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2']) await calls.end(name);
  expect(calls.begun).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2']);
  await Promise.all(calls.ended);
  expect(turns.runningCalls).toBe(0);
});

it('ends a request before it begins the next one of its client', async () => {
  const turns = new ClientTurns(() => true);
  const calls = new HeldCalls();
  for (const name of ['a1', 'a2', 'a3']) calls.start(turns, name, 16_384);
  calls.start(turns, 'a1 goes on', 16_384);
  for (const name of ['a1', 'a1 goes on', 'a2', 'a3']) await calls.end(name);
  expect(calls.begun).toEqual(['a1', 'a1 goes on', 'a2', 'a3']);
});

it('runs a slice that is larger than the lane by itself, and small calls beside it', async () => {
  const turns = new ClientTurns(() => true);
  const calls = new HeldCalls();
  calls.start(turns, 'a1', 100_000);
  calls.start(turns, 'b1', 1);
  calls.start(turns, 'c1', 1, 'interactive');
  await settled();
  expect(calls.begun).toEqual(['a1', 'c1']);
  await calls.end('a1');
  expect(calls.begun).toEqual(['a1', 'c1', 'b1']);
});

it('passes over a client that may not start, until it may', async () => {
  const stuck = new Set(['a']);
  const turns = new ClientTurns((client) => !stuck.has(client));
  const calls = new HeldCalls();
  calls.start(turns, 'a1', 1);
  calls.start(turns, 'b1', 1);
  await settled();
  expect(calls.begun).toEqual(['b1']);
  stuck.clear();
  turns.look();
  await settled();
  expect(calls.begun).toEqual(['b1', 'a1']);
});

it('gives the turn on when the work throws, and rejects what is aborted before its turn', async () => {
  const turns = new ClientTurns(() => true);
  const abort = new AbortController();
  const bulk = { client: 'a', lane: 'bulk', order: 1, texts: 16_384, signal: abort.signal } as const;
  const first = turns.run(bulk, async () => {
    await settled();
    throw new Error('broken');
  });
  const second = turns.run(bulk, async () => 'never');
  const third = turns.run({ ...bulk, signal }, async () => 'third');
  abort.abort();
  await expect(second).rejects.toMatchObject({ code: 'cancelled' });
  await expect(first).rejects.toThrow('broken');
  await expect(third).resolves.toBe('third');
});
