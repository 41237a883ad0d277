import { Worker, type MessagePort } from 'node:worker_threads';
import { answerCalls, ThreadCalls, type Answer } from './thread-call.ts';

/**
 * One request to a thread that ends with its answer: what blocks for seconds and is wanted once.
 *
 * @param name stands in messages.
 * @throws FarmError what the thread's handler threw; `device_lost` when it died, or gave no answer in time.
 */
export async function runInThread<Value>(
  file: URL,
  name: string,
  request: unknown,
  timeoutMs: number,
): Promise<Value> {
  const worker = new Worker(file, { name, execArgv: [] });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const value = await new ThreadCalls(worker, `the thread ${name}`).call<Value>(request, { timeoutMs });
  await exited;
  return value;
}

/** The thread's side of `runInThread`. */
export function answerOnce(port: MessagePort, handle: (request: unknown) => Promise<unknown>): void {
  answerCalls(port, async (request): Promise<Answer> => {
    try {
      return { value: await handle(request) };
    } finally {
      // After the answer: without its port the thread ends.
      setImmediate(() => port.close());
    }
  });
}
