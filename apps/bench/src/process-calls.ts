import type { ChildProcess } from 'node:child_process';
import { ThreadCalls } from '@embedfarm/engine/thread/thread-call';

/** Calls to a process of the bench: the protocol of the engine's threads, over its channel. See serveBench. */
export function processCalls(child: ChildProcess, name: string): ThreadCalls {
  return new ThreadCalls(
    {
      postMessage: (message) => child.send(message as object),
      on: (event, listener) => child.on(event, listener),
    },
    `the ${name} process`,
  );
}
