import { createServer } from 'node:net';
import { FarmError } from '@embedfarm/contract';

/** Where people expect a Redis. */
export const DEFAULT_REDIS_PORT = 6379;

/** A port of 127.0.0.1 that nobody listens on now: the one wished for, else one that the system picks. */
export async function freePort(wished?: number): Promise<number> {
  if (wished !== undefined) {
    const port = await tryPort(wished);
    if (port !== undefined) return port;
  }
  const port = await tryPort(0);
  if (port === undefined) throw new FarmError('internal', 'the system gives no free port on 127.0.0.1');
  return port;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
