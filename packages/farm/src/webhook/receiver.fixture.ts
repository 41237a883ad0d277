import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivery {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status, or what is done with the response. */
type Answer = number | RequestListener;

/** Somebody whom webhooks are posted to. Answers 200 unless told otherwise. */
export class Receiver {
  readonly deliveries: Delivery[] = [];
  readonly origin: string;
  readonly port: number;
  readonly #server: Server;
  readonly #answers: Answer[] = [];
  readonly #arrivals: { count: number; resolve: () => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.origin = `http://127.0.0.1:${this.port}`;
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (part: string) => (body += part));
      request.on('end', () => {
        const answer = this.#answers.shift() ?? 200;
        this.deliveries.push({ path: request.url ?? '', headers: request.headers, body });
        if (typeof answer === 'number') response.writeHead(answer).end('thanks');
        else answer(request, response);
        for (const { count, resolve } of this.#arrivals) if (this.deliveries.length >= count) resolve();
      });
    });
  }

  static async open(port = 0): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return new Receiver(server);
  }

  get url(): string {
    return `${this.origin}/hooks?key=hush`;
  }

  /** What the next deliveries get, in order. */
  answer(...answers: Answer[]): void {
    this.#answers.push(...answers);
  }

  /** Resolves when so many deliveries have come in all. */
  async arrived(count: number): Promise<void> {
    if (this.deliveries.length >= count) return;
    await new Promise<void>((resolve) => this.#arrivals.push({ count, resolve }));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
