import type { ResolvedBertDoorOptions } from './bert-door-options.ts';
import type { DoorCounters } from './door-counters.ts';
import type { DoorSockets } from './door-sockets.ts';
import { FrameGuard } from './frame-guard.ts';

/** The client has one subscription, its identity. */
const MAX_SUBSCRIPTIONS = 10_000;
const MAX_SUBSCRIPTION_BYTES = 4_096;

/** The two ports that clients know. */
export class DoorGuards {
  readonly requests: FrameGuard;
  readonly results: FrameGuard;

  private constructor(requests: FrameGuard, results: FrameGuard) {
    this.requests = requests;
    this.results = results;
  }

  /** @throws FarmError `invalid_argument` when a port is taken or the address is not this machine's. */
  static async open(
    { host, portIn, portOut, maxConnections, maxHeldBytes, logger }: ResolvedBertDoorOptions,
    maxMessageBytes: number,
    { requestsPort, resultsPort }: DoorSockets,
    counters: DoorCounters,
  ): Promise<DoorGuards> {
    const common = { host, maxConnections, maxOpenBytes: maxHeldBytes, counters, logger };
    const requests = await FrameGuard.open({
      ...common,
      port: portIn,
      innerPort: requestsPort,
      maxMessageBytes,
    });
    try {
      const results = await FrameGuard.open({
        ...common,
        port: portOut,
        innerPort: resultsPort,
        maxMessageBytes: MAX_SUBSCRIPTION_BYTES,
        maxSubscriptions: MAX_SUBSCRIPTIONS,
      });
      return new DoorGuards(requests, results);
    } catch (thrown) {
      await requests.close({ withinMs: 0 });
      throw thrown;
    }
  }

  get connections(): number {
    return this.requests.connections + this.results.connections;
  }

  /** When libzmq has closed its sockets: see FrameGuard. */
  async close(limit: { withinMs: number }): Promise<void> {
    await Promise.all([this.requests.close(limit), this.results.close(limit)]);
  }
}
