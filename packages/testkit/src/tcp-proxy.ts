import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * - `open`: bytes pass.
 * - `refused`: nobody listens; connections that stood are reset.
 * - `closed`: connections are taken and closed at once; those that stood are reset.
 * - `silent`: a black hole: connections are taken and stay, no byte passes either way.
 */
export type ProxyMode = 'open' | 'refused' | 'closed' | 'silent';

interface Link {
  readonly near: Socket;
  far: Socket | undefined;
}

/** A TCP port of 127.0.0.1 in front of another: what stands between a process and its Redis, and can fail. */
export class TcpProxy {
  readonly #target: { host: string; port: number };
  readonly #links = new Set<Link>();
  readonly #forgotten = new Set<Link>();
  #server: Server | undefined;
  #port = 0;
  #mode: ProxyMode = 'open';

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  /** @param url of what stands behind it, with a port. */
  static async open(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new TcpProxy({ host: hostname, port: Number(port) });
    await proxy.#listen();
    return proxy;
  }

  /** The URL of the same Redis, through this proxy. */
  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  get mode(): ProxyMode {
    return this.#mode;
  }

  /** Connections that stand at this moment. */
  get connections(): number {
    return this.#links.size;
  }

  /** Makes it unreachable, in the one way or the other. */
  async cut(mode: Exclude<ProxyMode, 'open'> = 'refused'): Promise<void> {
    this.#mode = mode;
    if (mode === 'silent') {
      for (const { near, far } of this.#links) {
        near.pause();
        far?.pause();
      }
      return;
    }
    this.#reset();
    if (mode === 'refused') await this.#stopListening();
  }

  /**
   * Reachable again. What a `silent` proxy held back passes now, or its connections are reset where `reset`
   * says so, as by a router that has forgotten them.
   */
  async restore({ reset = false }: { reset?: boolean } = {}): Promise<void> {
    this.#mode = 'open';
    if (reset) this.#reset();
    if (this.#server === undefined) await this.#listen();
    for (const link of this.#links) {
      if (link.far === undefined) this.#join(link);
      link.near.resume();
      link.far?.resume();
    }
  }

  /**
   * As when a host has lost its power, or a router its table, and another stands in its place: no byte passes
   * over the connections that stand, ever, and neither end is told. New ones are as they were.
   */
  forget(): void {
    for (const link of this.#links) {
      link.near.pause();
      link.far?.pause();
      this.#forgotten.add(link);
    }
    this.#links.clear();
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    for (const link of this.#forgotten) this.#links.add(link);
    this.#forgotten.clear();
    this.#reset();
    await this.#stopListening();
  }

  async #listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (near) => this.#take(near));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #take(near: Socket): void {
    if (this.#mode !== 'open' && this.#mode !== 'silent') {
      near.on('error', ignore);
      near.resetAndDestroy();
      return;
    }
    const link: Link = { near, far: undefined };
    this.#links.add(link);
    near.on('error', ignore);
    near.once('close', () => this.#end(link));
    if (this.#mode === 'open') this.#join(link);
    else near.pause();
  }

  #join(link: Link): void {
    const far = connect({ ...this.#target, noDelay: true });
    link.far = far;
    far.on('error', ignore);
    far.once('close', () => this.#end(link));
    link.near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => link.near.write(bytes));
  }

  #reset(): void {
    for (const link of this.#links) this.#end(link);
  }

  #end(link: Link): void {
    if (this.#forgotten.has(link)) return;
    if (!this.#links.delete(link)) return;
    link.near.resetAndDestroy();
    link.far?.destroy();
  }
}

function ignore(): void {
  // Its end is all that matters.
}
