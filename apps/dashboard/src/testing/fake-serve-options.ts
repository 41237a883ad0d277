import type { FarmActions } from '../actions/farm-actions.ts';
import type { ServeOptions } from '../serve-board.ts';

/** A board that is served to this machine, over no Redis: it has no queues, and notes what is done to it. */
export function fakeServeOptions(actions: FarmActions = new FakeActions()): ServeOptions {
  return {
    port: 0,
    host: '127.0.0.1',
    actions,
    queues: { of: () => [], close: async () => undefined },
  };
}

/** Notes the actions, and fails them when told to. */
export class FakeActions implements FarmActions {
  readonly done: string[] = [];
  /** Each action waits for this first. */
  gate: () => Promise<void> = async () => undefined;

  async cancel(requestId: string): ReturnType<FarmActions['cancel']> {
    this.done.push(`cancel ${requestId}`);
    await this.gate();
    return { requestId, state: 'cancelled', texts: 2, textsDone: 1, etaMs: 0 };
  }

  async retry(requestId: string): ReturnType<FarmActions['retry']> {
    this.done.push(`retry ${requestId}`);
    await this.gate();
    return { requestId: `${requestId}-again`, ranges: [{ from: 0, to: 2 }] };
  }
}
