import { Context, Pull, Push, XPublisher } from 'zeromq';

/** Results of one client that libzmq takes before it says that there is no room. Those that wait here are counted. */
const SEND_HIGH_WATER_MARK = 16;
/** Requests of one connection that libzmq reads ahead. */
const RECEIVE_HIGH_WATER_MARK = 4;
const LINGER_MS = 2_000;
const BACKLOG = 1_024;
const WAKE = 'inproc://wake';

/** What libzmq holds of the door: requests come in over one socket, results go out over the other. */
export class DoorSockets {
  readonly requestsPort: number;
  readonly resultsPort: number;
  readonly #context: Context;
  readonly #requests: Pull;
  readonly #results: XPublisher;
  #isDraining = false;

  private constructor(context: Context, requests: Pull, results: XPublisher) {
    this.#context = context;
    this.#requests = requests;
    this.#results = results;
    this.requestsPort = portOf(requests);
    this.resultsPort = portOf(results);
  }

  /** Both on free ports of this machine, for nobody but the guards before them. */
  static async open({ maxMessageBytes }: { maxMessageBytes: number }): Promise<DoorSockets> {
    const context = new Context();
    const requests = new Pull({
      context,
      linger: 0,
      backlog: BACKLOG,
      receiveHighWaterMark: RECEIVE_HIGH_WATER_MARK,
      maxMessageSize: maxMessageBytes,
    });
    const results = new XPublisher({
      context,
      linger: LINGER_MS,
      backlog: BACKLOG,
      sendHighWaterMark: SEND_HIGH_WATER_MARK,
      // Where there is no room it says so, in place of dropping.
      noDrop: true,
      sendTimeout: 0,
    });
    await requests.bind(WAKE);
    await requests.bind('tcp://127.0.0.1:*');
    await results.bind('tcp://127.0.0.1:*');
    return new DoorSockets(context, requests, results);
  }

  /** Requests as they come; after `drain` those that are here already. */
  async *requests(): AsyncGenerator<Buffer[]> {
    for (;;) {
      const frames = await this.#requests.receive().catch(ended);
      if (!frames) return;
      if (this.#isDraining && !this.#requests.closed) this.#requests.receiveTimeout = 0;
      if (frames.length > 0 && frames[0]?.toString('latin1') !== WAKE) yield frames;
    }
  }

  /** What subscribers say. */
  async *subscriptions(): AsyncGenerator<Buffer[]> {
    for (;;) {
      const frames = await this.#results.receive().catch(ended);
      if (!frames) return;
      yield frames;
    }
  }

  /** @returns false where there is no room for those who hear it. */
  async send(frames: Buffer[]): Promise<boolean> {
    try {
      await this.#results.send(frames);
      return true;
    } catch (thrown) {
      if (codeOf(thrown) === 'EAGAIN') return false;
      throw thrown;
    }
  }

  /** `requests` ends when it has given what has arrived. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const wake = new Push({ context: this.#context, linger: 0 });
    wake.connect(WAKE);
    await wake.send(WAKE);
    wake.close();
  }

  closeRequests(): void {
    this.#requests.close();
  }

  /** What libzmq has taken goes out, within 2 s. */
  closeResults(): void {
    this.#results.close();
  }
}

/** A socket that is closed, or has nothing more. */
function ended(thrown: unknown): undefined {
  if (['EAGAIN', 'EBADF', 'ENOTSOCK', 'ETERM'].includes(codeOf(thrown) ?? '')) return undefined;
  throw thrown;
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
}

function portOf(socket: Pull | XPublisher): number {
  return Number(/:(\d+)$/.exec(socket.lastEndpoint ?? '')?.[1]);
}
