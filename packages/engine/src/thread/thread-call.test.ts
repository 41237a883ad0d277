import { FarmError } from '@embedfarm/contract';
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { answerCalls, ThreadCalls, type Answer } from './thread-call.ts';

const ports: { close(): void }[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function connect(handle: (request: unknown) => Promise<Answer>): { calls: ThreadCalls; hangUp: () => void } {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  answerCalls(port2, handle);
  return { calls: new ThreadCalls(port1, 'thread x'), hangUp: () => port2.close() };
}

const timeoutMs = 60_000;

describe('ThreadCalls', () => {
  it('gives every call its own answer, in order', async () => {
    const { calls } = connect(async (request) => ({ value: [request] }));
    const answers = await Promise.all([1, 2, 3].map((request) => calls.call(request, { timeoutMs })));
    expect(answers).toEqual([[1], [2], [3]]);
    expect(calls.openCalls).toBe(0);
  });

  it('moves what is transferred instead of copying it, both ways', async () => {
    const { calls } = connect(async (request) => {
      const bytes = request as Uint8Array<ArrayBuffer>;
      return { value: bytes, transfer: [bytes.buffer] };
    });
    const bytes = Uint8Array.of(1, 2, 3);
    const answer = await calls.call(bytes, { timeoutMs, transfer: [bytes.buffer] });
    expect(bytes.length).toBe(0);
    expect(answer).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('brings an error over with its code, and goes on', async () => {
    const { calls } = connect(async (request) => {
      if (request === 'bad') throw new FarmError('out_of_memory', 'full');
      return { value: request };
    });
    await expect(calls.call('bad', { timeoutMs })).rejects.toMatchObject({
      code: 'out_of_memory',
      detail: 'full',
    });
    await expect(calls.call('good', { timeoutMs })).resolves.toBe('good');
  });

  it('rejects every open and later call when the other side is gone', async () => {
    const { calls, hangUp } = connect(() => new Promise(() => undefined));
    const open = [calls.call(1, { timeoutMs }), calls.call(2, { timeoutMs })];
    hangUp();
    for (const call of open) await expect(call).rejects.toMatchObject({ code: 'device_lost' });
    await expect(calls.call(3, { timeoutMs })).rejects.toThrow('thread x closed its port');
  });

  it.each([
    ['ends', 'setImmediate(() => process.exit(3))', 'thread x ended'],
    ['dies of an error', 'setImmediate(() => { throw new Error("why") })', 'thread x died: why'],
  ])('rejects when its thread %s', async (_, code, message) => {
    const worker = new Worker(code, { eval: true, execArgv: [] });
    const calls = new ThreadCalls(worker, 'thread x');
    await expect(calls.call(1, { timeoutMs })).rejects.toMatchObject({
      code: 'device_lost',
      detail: message,
    });
  });

  it('takes the other side for lost when it misses a deadline', async () => {
    const { calls } = connect(() => new Promise(() => undefined));
    await expect(calls.call(1, { timeoutMs: 1 })).rejects.toThrow('gave no answer in 1 ms');
    expect(calls.isLost).toBe(true);
  });
});
